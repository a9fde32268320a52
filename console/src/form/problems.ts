/** What a schema finds wrong, by the place it is at, as keys of the dictionaries. */
import type { z } from "zod";
import { formatPath } from "./paths";

export interface FieldProblem {
  path: string;
  /** A key of the dictionaries, or words of the server when `words` is true. */
  key: string;
  values: Record<string, unknown>;
  words: boolean;
}

type Issue = z.core.$ZodIssue;

export function problemsOf(schema: z.ZodType, value: unknown): FieldProblem[] {
  const result = schema.safeParse(value);
  return result.success ? [] : result.error.issues.map(problemOf);
}

function problemOf(issue: Issue): FieldProblem {
  const path = formatPath(issue.path as (string | number)[]);
  const [key, values] = wording(issue);
  return { path, key, values, words: false };
}

function wording(issue: Issue): [string, Record<string, unknown>] {
  switch (issue.code) {
    case "too_small":
      if (issue.origin === "string" && issue.minimum === 1) return ["errors.required", {}];
      return [issue.origin === "number" ? "errors.tooSmall" : "errors.tooFew", { min: Number(issue.minimum) }];
    case "too_big":
      if (issue.origin === "string") return ["errors.tooLong", { max: Number(issue.maximum) }];
      return [issue.origin === "number" ? "errors.tooBig" : "errors.tooMany", { max: Number(issue.maximum) }];
    case "invalid_type":
      return [issue.input === undefined || issue.input === null || Number.isNaN(issue.input) ? "errors.required" : "errors.invalid", {}];
    case "custom":
      return [String(issue.params?.["key"] ?? issue.message), issue.params ?? {}];
    default:
      return [issue.message.startsWith("errors.") ? issue.message : "errors.invalid", {}];
  }
}

/** Problems that the server found, shown in its words. */
export function serverProblems(errors: readonly { path: string; message: string }[]): FieldProblem[] {
  return errors.map(({ path, message }) => ({ path, key: message, values: {}, words: true }));
}

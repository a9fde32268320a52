/**
 * A workflow while it is edited. Objects with names that a person chooses are rows, so that a half-typed name loses nothing;
 * JSON is the text that was typed. Both kinds keep what the other one has, until it is saved. Pure.
 */
import { formatPath, getAt, parsePath, type Segment } from "@/form/paths";
import type { BranchStep, Condition, DelayStep, HttpStep, ReturnStep, SetStep, Workflow, WorkflowStep } from "./document";
import { readJson, showJson } from "./json";

export interface Pair {
  name: string;
  value: string;
}

export type HttpDraft = Omit<HttpStep, "headers" | "query" | "body" | "expected_status"> & { headers: Pair[]; query: Pair[]; body: string; expected_status: string };
export type SetDraft = Omit<SetStep, "values"> & { values: Pair[] };
export type BranchArm = Condition & { steps: StepDraft[] };
export type BranchDraft = Omit<BranchStep, "branches" | "else"> & { branches: BranchArm[]; else: StepDraft[] };
export type ReturnDraft = Omit<ReturnStep, "value"> & { value: string };
export type StepDraft = HttpDraft | SetDraft | BranchDraft | DelayStep | ReturnDraft;

export type WorkflowDraft = Omit<Workflow, "steps" | "url" | "headers"> & { steps: StepDraft[]; url: string; headers: Pair[] };

const pairs = (values: Record<string, string>): Pair[] => Object.entries(values).map(([name, value]) => ({ name, value }));
const object = (rows: readonly Pair[]): Record<string, string> => Object.fromEntries(rows.map(({ name, value }) => [name, value]));

export function toDraft(document: Workflow): WorkflowDraft {
  return { ...document, steps: (document.steps ?? []).map(stepDraft), url: document.url ?? "", headers: pairs(document.headers) };
}

export function stepDraft(step: WorkflowStep): StepDraft {
  switch (step.type) {
    case "http":
      return { ...step, headers: pairs(step.headers), query: pairs(step.query), body: showJson(step.body), expected_status: step.expected_status.join(", ") };
    case "set":
      return { ...step, values: Object.entries(step.values).map(([name, value]) => ({ name, value: value === null ? "null" : showJson(value) })) };
    case "branch":
      return { ...step, branches: step.branches.map((arm) => ({ ...arm, steps: arm.steps.map(stepDraft) })), else: step.else.map(stepDraft) };
    case "return":
      return { ...step, value: showJson(step.value) };
    case "delay":
      return step;
  }
}

/** What is to be stored; of JSON that does not parse the text. */
export function toDocument(draft: WorkflowDraft): Workflow {
  const webhook = draft.kind === "webhook";
  return {
    ...draft,
    steps: webhook ? null : draft.steps.map(stepDocument),
    url: webhook ? draft.url.trim() : null,
    headers: webhook ? object(draft.headers) : {},
    secret: webhook ? draft.secret || null : null,
  };
}

function stepDocument(step: StepDraft): WorkflowStep {
  switch (step.type) {
    case "http":
      return { ...step, headers: object(step.headers), query: object(step.query), body: readJson(step.body).value, expected_status: readStatuses(step.expected_status) ?? [] };
    case "set":
      return { ...step, values: Object.fromEntries(step.values.map(({ name, value }) => [name, value === "" ? "" : readJson(value).value])) };
    case "branch":
      return { ...step, branches: step.branches.map((arm) => ({ ...arm, steps: arm.steps.map(stepDocument) })), else: step.else.map(stepDocument) };
    case "return":
      return { ...step, value: readJson(step.value).value };
    case "delay":
      return step;
  }
}

/** Codes of a list like "200, 404"; null when it is none. */
export function readStatuses(text: string): number[] | null {
  const parts = text.split(/[\s,;]+/).filter(Boolean);
  return parts.every((part) => /^\d{3}$/.test(part)) ? parts.map(Number) : null;
}

const ROWS = new Set<Segment>(["headers", "query", "values"]);
const TEXTS = new Set<Segment>(["body", "value", "expected_status"]);

/** The place in the form of what the server says about a place in the document that was sent. */
export function formPath(document: Workflow, path: string): string {
  const bare = path.replace(/^document\./, "");
  const found: Segment[] = [];
  for (const [index, part] of parsePath(bare).entries()) {
    found.push(part);
    const here = formatPath(found);
    if (ROWS.has(part)) {
      const holder = getAt(document, found);
      const names = typeof holder === "object" && holder !== null ? Object.keys(holder) : [];
      const rest = bare.slice(here.length + 1);
      const row = names.findIndex((name) => rest === name || (part === "values" && (rest.startsWith(`${name}.`) || rest.startsWith(`${name}[`))));
      return row < 0 ? here : `${here}[${row}].value`;
    }
    if (index > 0 && TEXTS.has(part)) return here;
  }
  return formatPath(found);
}

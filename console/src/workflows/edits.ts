/** Steps found, moved, made and renamed. Pure. */
import type { Segment } from "@/form/paths";
import { HTTP_SECONDS, DELAY_SECONDS, VARIABLE_NAME, type StepType } from "./document";
import type { StepDraft, WorkflowDraft } from "./draft";

/** Every step with its place, also those inside branches, in the order they are written. */
export function* stepsIn(steps: readonly StepDraft[], at: readonly Segment[] = ["steps"]): Generator<{ step: StepDraft; path: Segment[] }> {
  for (const [index, step] of steps.entries()) {
    const path = [...at, index];
    yield { step, path };
    if (step.type !== "branch") continue;
    for (const [number, arm] of step.branches.entries()) yield* stepsIn(arm.steps, [...path, "branches", number, "steps"]);
    yield* stepsIn(step.else, [...path, "else"]);
  }
}

export function moved<T>(items: readonly T[], from: number, to: number): T[] {
  const item = items[from];
  if (item === undefined || to < 0 || to >= items.length) return [...items];
  return items.toSpliced(from, 1).toSpliced(to, 0, item);
}

const FIRST_IDS: Record<StepType, string> = { http: "request", set: "values", branch: "check", delay: "pause", return: "answer" };

export function freeStepId(draft: WorkflowDraft, type: StepType): string {
  const taken = new Set([...stepsIn(draft.steps)].map(({ step }) => step.id));
  const base = FIRST_IDS[type];
  let id = base;
  for (let count = 2; taken.has(id); count += 1) id = `${base}_${count}`;
  return id;
}

export function blankStep(type: StepType, id: string): StepDraft {
  const base = { id, on_error: "stop" as const };
  switch (type) {
    case "http":
      return { ...base, type, method: "GET", url: "", headers: [], query: [], body: "", timeout_seconds: HTTP_SECONDS.default, retries: 0, expected_status: "" };
    case "set":
      return { ...base, type, values: [{ name: "", value: "" }] };
    case "branch":
      return { ...base, type, branches: [{ variable: "", operator: "is_true", value: null, steps: [] }], else: [] };
    case "delay":
      return { ...base, type, seconds: DELAY_SECONDS.default };
    case "return":
      return { ...base, type, value: "" };
  }
}

/** Why a step cannot have this id, as a key of a text; null when it can. One that another step has would take over what reads that one. */
export function idFault(draft: WorkflowDraft, from: string, to: string): string | null {
  if (!VARIABLE_NAME.test(to)) return "errors.variableName";
  return to !== from && [...stepsIn(draft.steps)].some(({ step }) => step.id === to) ? "errors.duplicateStep" : null;
}

/** The workflow with a step of another id that it can have: what reads `steps.<id>` reads the new one. */
export function renameStep(draft: WorkflowDraft, path: readonly Segment[], from: string, to: string): WorkflowDraft {
  const renamed = !VARIABLE_NAME.test(from) ? draft.steps : eachText(draft.steps, (text) => text.replace(new RegExp(`\\bsteps\\.${from}(?![\\w-])`, "g"), () => `steps.${to}`));
  return { ...draft, steps: withId(renamed, path.slice(1), to) };
}

function withId(value: unknown, path: readonly Segment[], id: string): StepDraft[] {
  const [head, ...rest] = path;
  const inside = (holder: unknown, keys: readonly Segment[]): unknown => {
    const [key, ...left] = keys;
    if (key === undefined) return { ...(holder as StepDraft), id };
    if (Array.isArray(holder)) return holder.with(Number(key), inside(holder[Number(key)], left));
    return { ...(holder as object), [key]: inside((holder as Record<Segment, unknown>)[key], left) };
  };
  return head === undefined ? (value as StepDraft[]) : (inside(value, [head, ...rest]) as StepDraft[]);
}

function eachText<T>(value: T, change: (text: string) => string): T {
  if (typeof value === "string") return change(value) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => eachText(item, change)) as T;
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, eachText(item as unknown, change)])) as T;
  return value;
}

/** Every text that may hold a template. */
export function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}

/** The secrets that a workflow names. */
export function secretsNamed(draft: WorkflowDraft): string[] {
  const texts = textsOf(draft.kind === "webhook" ? [draft.url, draft.headers] : draft.steps);
  return [...new Set(texts.flatMap((text) => [...text.matchAll(/\bsecrets\s*(?:\.\s*([\w-]+)|\[\s*(?:'([^']+)'|"([^"]+)")\s*\])/g)].map(([, plain, single, double]) => plain ?? single ?? double ?? "")))].filter(Boolean);
}

/** What a step does, in a few words for its heading. */
export function summaryOf(step: StepDraft): string {
  switch (step.type) {
    case "http":
      return step.url ? `${step.method} ${step.url}` : step.method;
    case "set":
      return step.values.map(({ name }) => name).filter(Boolean).join(", ");
    case "branch":
      return step.branches.map(({ variable }) => variable).filter(Boolean).join(", ");
    case "delay":
      return Number.isNaN(step.seconds) ? "" : `${step.seconds} s`;
    case "return":
      return step.value.replace(/\s+/g, " ").slice(0, 120);
  }
}

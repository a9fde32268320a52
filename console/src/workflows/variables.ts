/** Names that the texts of a workflow can use. Pure. */
import { SYSTEM_VARIABLES, type Variables } from "@/form/variables";
import type { WorkflowDraft } from "./draft";
import { stepsIn } from "./edits";

const CALL = ["call.id", "call.direction"] as const;
const ENDED_CALL = [
  "call.id",
  "call.delivery_id",
  "call.direction",
  "call.caller",
  "call.called",
  "call.status",
  "call.ended_by",
  "call.started_at",
  "call.ended_at",
  "call.duration_seconds",
  "call.transcript",
  "call.timeline",
] as const;
const FAILED = ["failover.trigger", "failover.detail"] as const;
const AGENT = ["agent.id", "agent.name", "agent.language"] as const;

export interface WorkflowVariables extends Variables {
  input: readonly string[];
  call: readonly string[];
  secrets: readonly string[];
}

/** In the order they are offered: what the workflow has first, then the call's. */
export function variablesOf(draft: WorkflowDraft, secrets: readonly string[]): WorkflowVariables {
  const values = new Set<string>();
  const results: string[] = [];
  for (const { step } of draft.kind === "steps" ? stepsIn(draft.steps) : []) {
    if (step.type === "http") results.push(...["ok", "status", "body", "error.message"].map((part) => `steps.${step.id}.${part}`));
    if (step.type === "branch") results.push(`steps.${step.id}.branch`);
    if (step.type === "set") for (const { name } of step.values) if (name) values.add(name);
  }
  return {
    input: draft.input.filter(({ name }) => name).map(({ name }) => `input.${name}`),
    steps: results,
    values: [...values],
    secrets: secrets.map((name) => `secrets.${name}`),
    call: [...(draft.trigger === "post_call" ? ENDED_CALL : CALL), ...(draft.trigger === "failover" ? FAILED : []), ...AGENT],
    system: SYSTEM_VARIABLES,
  };
}

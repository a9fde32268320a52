/** Data that a workflow is tried with. Pure. */
import type { WorkflowSample } from "@/api/types";
import type { Workflow } from "./document";
import { pretty } from "./json";

const STARTED = "2026-05-04T09:00:00.000+00:00";

export function firstSample(workflow: Pick<Workflow, "trigger">, language: string): WorkflowSample {
  const context = workflow.trigger === "failover" ? { failover: { trigger: "pre_call_timeout", detail: "" } } : {};
  const call = workflow.trigger === "post_call" ? endedCall() : {};
  return { input: {}, context, call, agent: {}, phone: "+33612345678", agent_id: "sample", language, direction: "inbound" };
}

/** What a post-call workflow is told of a short call. */
function endedCall(): Record<string, unknown> {
  return {
    delivery_id: "sample-delivery",
    caller: "+33612345678",
    called: "+33123456789",
    anonymous: false,
    from_browser: false,
    status: "completed",
    ended_by: "caller",
    end_reason: "hung up",
    failover: null,
    started_at: STARTED,
    answered_at: "2026-05-04T09:00:02.000+00:00",
    ended_at: "2026-05-04T09:01:12.500+00:00",
    duration_seconds: 70.5,
    recording: null,
    path: {},
    transcript: [],
    timeline: [],
    truncated: null,
  };
}

/** What is sent: of the values given, those that the workflow takes. A switch that nobody touched is off. */
export function sampleFor(workflow: Pick<Workflow, "input">, sample: WorkflowSample): WorkflowSample {
  const given = workflow.input.map(({ name, type }) => [name, sample.input[name] ?? (type === "boolean" ? false : "")] as const);
  return { ...sample, input: Object.fromEntries(given.filter(([, value]) => value !== "")) };
}

export const sampleText = (sample: WorkflowSample): string => pretty(sample);

/** An object out of a text; null when it is none. */
export function readObject(text: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(text.trim() || "{}") as unknown;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** A whole sample out of a text: what it leaves out is as it was; null when it is no object. */
export function readSample(text: string, was: WorkflowSample): WorkflowSample | null {
  const found = readObject(text);
  return found && ({ ...was, ...found } as WorkflowSample);
}

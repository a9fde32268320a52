/** Why a run failed and what to do about it, as keys of the dictionaries. Pure. */
import type { RunFailure, RunStep } from "@/api/types";

const CODES = [
  "invalid_input",
  "unrenderable",
  "too_big",
  "invalid_request",
  "secret",
  "reserved_name",
  "address_refused",
  "name_not_found",
  "connect_failed",
  "timeout",
  "connection_dropped",
  "redirect_refused",
  "reply_too_big",
  "invalid_reply",
  "unexpected_status",
  "deadline",
  "cancelled",
  "internal",
  "interrupted",
] as const;
type Code = (typeof CODES)[number];

export interface Explained {
  /** `workflows.failure.<code>` and `workflows.mend.<mend>` */
  code: Code | "other";
  mend: string;
  status: number | null;
}

export function explain(failure: RunFailure, steps: readonly RunStep[]): Explained {
  const code = CODES.find((known) => known === failure.code) ?? "other";
  const status = code === "unexpected_status" ? statusOf(failure, steps) : null;
  return { code, mend: code === "unexpected_status" ? mendOfStatus(status) : code, status };
}

function statusOf(failure: RunFailure, steps: readonly RunStep[]): number | null {
  const reply = steps.findLast((step) => step.id === failure.step)?.reply;
  const told = typeof reply === "object" && reply !== null && "status" in reply ? Number(reply.status) : Number(/answered (\d{3})/.exec(failure.message)?.[1]);
  return Number.isInteger(told) ? told : null;
}

function mendOfStatus(status: number | null): string {
  if (status === 401 || status === 403) return "status_refused";
  if (status === 404) return "status_missing";
  if (status === 429) return "status_busy";
  if (status !== null && status >= 500) return "status_broken";
  return "unexpected_status";
}

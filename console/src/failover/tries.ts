/** What was tried, by trigger, and whether it still is what the form holds. */
import type { FailoverTab } from "@/agent/schema";
import { same } from "@/agent/differences";
import type { FailoverDestination, FailoverTried, FailoverTrigger, TimelineEvent } from "@/api/types";

export interface Try {
  tab: FailoverTab;
  destination: FailoverDestination;
  tried: FailoverTried;
}

export type Tries = Partial<Record<FailoverTrigger, Try>>;

/** Something was changed since: what is shown may not be what a caller would get now. */
export function outdated(made: Try, tab: FailoverTab, destination: FailoverDestination): boolean {
  return !same(made.tab, tab) || (ringsSomebody(made.tried) && made.destination !== destination);
}

const ringsSomebody = (tried: FailoverTried) => tried.events.some((event) => event.kind === "leg" && event.payload["event"] === "dialled");

export type Tone = "good" | "fallback" | "bad";

/** How good what the caller gets is, and which sentence of the dictionaries says it. */
export function verdict(tried: FailoverTried): { key: string; tone: Tone } {
  if (tried.agent_answers) return { key: "agentAnswers", tone: "good" };
  if (tried.cut_short) return { key: "cutShort", tone: "good" };
  switch (tried.outcome) {
    case "played":
      return { key: "played", tone: "good" };
    case "transferred":
      return { key: "transferred", tone: "good" };
    case "ended":
      return { key: "ended", tone: "good" };
    case "default_error_message":
      return { key: "fellBack", tone: "fallback" };
    case null:
      return tried.audio_id === null ? { key: "nothing", tone: "bad" } : { key: "switchedOff", tone: "fallback" };
    default:
      return { key: "nothing", tone: "bad" };
  }
}

/** When the caller begins to hear something of ours, in ms from the start of the call: the recording begins there. */
export function heardFrom(tried: FailoverTried): number {
  return tried.events.find((event) => event.kind === "answered")?.at_ms ?? 0;
}

/** The events without what says only that this is a rehearsal: the person knows. */
export function shownEvents(tried: FailoverTried): TimelineEvent[] {
  return tried.events.map((event) => (event.payload["detail"] === "a rehearsal" ? { ...event, payload: { ...event.payload, detail: "" } } : event));
}

export interface Failed {
  /** Who was rung; empty when it was no transfer. */
  whom: string;
  /** How that ended, as in the dictionaries' `outcomes`; empty when it was no transfer. */
  outcome: string;
  /** In the server's words; empty when the outcome says it all. */
  detail: string;
}

const RUNG = /^([^:]+): (busy|no_answer|declined|unreachable|invalid_destination|refused_by_policy)(?:, (.*))?$/s;

/** Why it did not come as it was set up. */
export function whyFailed(tried: FailoverTried): Failed | null {
  const failed = tried.events.find((event) => event.kind === "failover" && event.payload["event"] === "failed");
  if (!failed) return null;
  const words = String(failed.payload["detail"] ?? "");
  const [, whom = "", outcome = "", detail = ""] = RUNG.exec(words) ?? ["", "", "", words];
  return { whom, outcome, detail: outcome === "busy" || outcome === "no_answer" || / neither rang nor answered$/.test(detail) ? "" : detail };
}

/** There was nothing to ring over: what the server says then. */
export const noWayOut = (failed: Failed) => failed.detail.startsWith("There is no SIP connection to call over");

/** A call or a chat as it is followed: what has happened so far, and how the connection stands. Pure. */
import type { ProblemBody } from "@/api/problem";
import type { TimelineEvent } from "@/api/types";

export interface Feed {
  /** In order, each once. */
  events: readonly TimelineEvent[];
  /** `lost`: it is being asked again; `refused`: it is not. */
  state: "waiting" | "open" | "lost" | "over" | "refused";
  /** What the last frame said. */
  end: Record<string, unknown> | null;
  problem: ProblemBody | null;
}

export type FeedChange =
  | { type: "opened" }
  | { type: "happened"; event: TimelineEvent }
  | { type: "ended"; end: Record<string, unknown> }
  | { type: "lost" }
  | { type: "refused"; problem: ProblemBody };

export const NOTHING_YET: Feed = { events: [], state: "waiting", end: null, problem: null };

/** After a reconnection the server may tell again what it told: an event counts once, by its number, wherever it comes. */
export function feed(state: Feed, change: FeedChange): Feed {
  switch (change.type) {
    case "happened": {
      const events = placed(state.events, change.event);
      return events === state.events ? state : { ...state, events };
    }
    case "ended":
      return { ...state, state: "over", end: change.end };
    case "opened":
      return state.state === "over" ? state : { ...state, state: "open", problem: null };
    case "lost":
      return state.state === "over" ? state : { ...state, state: "lost" };
    case "refused":
      return state.state === "over" ? state : { ...state, state: "refused", problem: change.problem };
  }
}

function placed(events: readonly TimelineEvent[], event: TimelineEvent): readonly TimelineEvent[] {
  const before = events.findLastIndex((other) => other.number <= event.number);
  if (events[before]?.number === event.number) return events;
  return [...events.slice(0, before + 1), event, ...events.slice(before + 1)];
}

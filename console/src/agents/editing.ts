/** A draft that is being edited, with what it was and how to go back. Pure. */
import { combine, same } from "@/agent/differences";
import type { Agent, FailoverTab } from "@/agent/schema";
import { formatPath, setAt, type Segment } from "@/form/paths";

const KEPT_STEPS = 100;
/** Changes of one value within this time are one step to undo. */
const ONE_STEP_MS = 900;

export interface Editing {
  /** As it is stored. */
  base: Agent;
  draft: Agent;
  revision: number;
  past: readonly Agent[];
  future: readonly Agent[];
  last: { path: string; at: number } | null;
}

export type EditingEvent =
  | { type: "changed"; path: readonly Segment[]; next: unknown; at: number }
  | { type: "edited"; edit: (draft: Agent) => Agent }
  | { type: "undone" }
  | { type: "redone" }
  /** Stored; with what was sent, what was typed since stays to be saved. */
  | { type: "saved"; document: Agent; revision: number; sent?: Agent }
  | { type: "replaced"; base: Agent; draft: Agent; revision: number }
  | { type: "failoverSaved"; tab: FailoverTab; madeFrom: number; revision: number };

export function begin(document: Agent, revision: number): Editing {
  return { base: document, draft: document, revision, past: [], future: [], last: null };
}

export function isDirty(state: Editing): boolean {
  return !same(state.base, state.draft);
}

export function editing(state: Editing, event: EditingEvent): Editing {
  switch (event.type) {
    case "changed": {
      const path = formatPath(event.path);
      const draft = setAt(state.draft, event.path, event.next);
      const joined = state.last?.path === path && event.at - state.last.at < ONE_STEP_MS;
      return { ...remember(state, draft, joined), last: { path, at: event.at } };
    }
    case "edited": {
      const draft = event.edit(state.draft);
      return draft === state.draft ? state : remember(state, draft, false);
    }
    case "undone": {
      const draft = state.past.at(-1);
      return draft ? { ...state, draft, past: state.past.slice(0, -1), future: [state.draft, ...state.future], last: null } : state;
    }
    case "redone": {
      const [draft, ...future] = state.future;
      return draft ? { ...state, draft, past: [...state.past, state.draft], future, last: null } : state;
    }
    case "saved":
      return { ...state, base: event.document, draft: combine(event.sent ?? state.draft, state.draft, event.document), revision: event.revision, last: null };
    case "replaced":
      return { ...begin(event.base, event.revision), draft: event.draft, past: [...state.past, state.draft].slice(-KEPT_STEPS) };
    case "failoverSaved":
      return {
        ...state,
        base: { ...state.base, ...event.tab },
        draft: { ...state.draft, ...event.tab },
        past: state.past.map((draft) => ({ ...draft, ...event.tab })),
        future: state.future.map((draft) => ({ ...draft, ...event.tab })),
        // made from a later draft than ours: ours stays behind, so that its own save is found stale and shown
        revision: event.madeFrom === state.revision ? event.revision : state.revision,
      };
  }
}

function remember(state: Editing, draft: Agent, joined: boolean): Editing {
  const past = joined ? state.past : [...state.past, state.draft].slice(-KEPT_STEPS);
  return { ...state, draft, past, future: [], last: null };
}

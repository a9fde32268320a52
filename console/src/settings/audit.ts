/** The audit log's entries as a person reads them. Pure. */
import type { Difference } from "@/agent/differences";
import type { AuditEntry } from "@/api/types";
import { parsePath } from "@/form/paths";

/** Kinds of things that changes are about, as the log names them. */
export const TARGETS = ["agent", "sip_connection", "workflow", "data_source", "document", "call", "calls", "delivery", "key", "user", "secret", "settings"] as const;

/** What changed, place by place; items of lists by their number, counted from one. */
export function differencesOf(changes: AuditEntry["changes"]): Difference[] {
  return changes.map(({ path, before, after }) => ({
    place: parsePath(path).map((part) => (typeof part === "number" ? { kind: "item" as const, text: `${part + 1}` } : { kind: "key" as const, text: part })),
    before,
    after,
  }));
}

const TOLD = 3;

/** The parts of a document that changed, the first few, with dots for more. */
export function placesOf(changes: AuditEntry["changes"]): string[] {
  const places = [...new Set(changes.map(({ path }) => String(parsePath(path)[0] ?? "")).filter(Boolean))];
  return places.length > TOLD ? [...places.slice(0, TOLD), "…"] : places;
}

/** Where the thing can be looked at, when it has a page of its own. */
export function pageOf({ target_kind, target_id, action }: AuditEntry): string | null {
  if (action.endsWith(".delete") || target_id === "") return null;
  switch (target_kind) {
    case "agent":
      return `/agents/${target_id}`;
    case "sip_connection":
      return `/connections/${target_id}`;
    case "workflow":
      return `/workflows/${target_id}`;
    case "data_source":
      return `/knowledge/${target_id}`;
    case "call":
      return `/calls/${target_id}`;
    default:
      return null;
  }
}

/** A name for what was changed: the one that is known today, else the one it was given, else its id. */
export function nameOf(entry: AuditEntry, known: ReadonlyMap<string, string>): string {
  const today = known.get(entry.target_id);
  if (today !== undefined) return today;
  const named = entry.changes.find(({ path }) => path === "name");
  const name = named?.after ?? named?.before;
  if (typeof name === "string") return name;
  return entry.target_kind === "settings" || entry.target_kind === "calls" ? "" : entry.target_id;
}

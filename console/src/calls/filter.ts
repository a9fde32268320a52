/** Filters of the list, as the address of the page holds them and as the API takes them. */
import type { CallFilter } from "@/api/calls";

export const FILTERS = ["status", "agent_id", "direction", "number", "since", "until"] as const;

/** Days are the person's own: from their midnight to the midnight after. */
export function filterOf(search: URLSearchParams): CallFilter {
  const filter: CallFilter = {};
  for (const name of ["status", "agent_id", "direction", "number"] as const) {
    const value = search.get(name);
    if (value) filter[name] = value;
  }
  const since = midnight(search.get("since"), 0);
  const until = midnight(search.get("until"), 1);
  return { ...filter, ...(since && { since }), ...(until && { until }) };
}

function midnight(day: string | null, plus: number): string | undefined {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day ?? "");
  if (!found) return undefined;
  return new Date(Number(found[1]), Number(found[2]) - 1, Number(found[3]) + plus).toISOString();
}

import { useCallback, useMemo, useState } from "react";
import type { Path } from "@/agent/schema";
import { layout, type Place } from "./layout";

const keptAs = (agentId: string) => `parlons.places.${agentId}`;

function kept(agentId: string): Record<string, Place> {
  try {
    return JSON.parse(localStorage.getItem(keptAs(agentId)) ?? "{}") as Record<string, Place>;
  } catch {
    return {};
  }
}

/** Where the steps stand: as laid out, unless the person moved them. Kept in this browser; the document holds no places. */
export function usePlaces(agentId: string, path: Path) {
  const [moved, setMoved] = useState(() => kept(agentId));
  const laidOut = useMemo(() => layout(path), [path]);
  const places = useMemo(() => new Map(path.steps.map(({ id }) => [id, moved[id] ?? laidOut.get(id) ?? { x: 0, y: 0 }])), [path, moved, laidOut]);

  const store = useCallback(
    (next: Record<string, Place>) => {
      localStorage.setItem(keptAs(agentId), JSON.stringify(next));
      return next;
    },
    [agentId],
  );
  const move = useCallback((id: string, place: Place) => setMoved((all) => store({ ...all, [id]: place })), [store]);
  const tidy = useCallback(() => setMoved(store({})), [store]);
  return { places, move, tidy };
}

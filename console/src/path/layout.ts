/**
 * Where each step stands on the canvas: a layered layout from the start downwards. A step is one layer below the lowest step
 * that leads to it, ways back left out; within a layer steps are ordered by the mean place of those that lead to them.
 */
import { exits } from "@/agent/pathProblems";
import type { Path } from "@/agent/schema";

export const STEP_WIDTH = 208;
const COLUMN = 240;
export const ROW = 150;

export interface Place {
  x: number;
  y: number;
}

export function layout(path: Path): Map<string, Place> {
  const column = new Map<string, number>();
  const places = new Map<string, Place>();
  const ways = forwardWays(path);
  layersOf(path, ways).forEach((layer, row) => {
    const ordered = layer.map((id) => ({ id, at: meanAbove(id, ways, column) })).sort((one, other) => one.at - other.at);
    ordered.forEach(({ id }, index) => {
      const x = (index - (ordered.length - 1) / 2) * COLUMN;
      column.set(id, x);
      places.set(id, { x, y: row * ROW });
    });
  });
  return places;
}

type Ways = ReadonlyMap<string, readonly string[]>;

function meanAbove(id: string, ways: Ways, column: ReadonlyMap<string, number>): number {
  const above = [...ways].filter(([from, to]) => to.includes(id) && column.has(from)).map(([from]) => column.get(from) ?? 0);
  return above.length ? above.reduce((sum, x) => sum + x, 0) / above.length : 0;
}

/** Where each step leads without going back to one that it was reached through. */
export function forwardWays(path: Path): Ways {
  const byId = new Map(path.steps.map((step) => [step.id, step]));
  const ways = new Map<string, string[]>();
  const under = new Set<string>();
  const visit = (id: string) => {
    const step = byId.get(id);
    if (!step || ways.has(id)) return;
    const targets = [...new Set(exits(step).map((exit) => exit.to))].filter((to) => byId.has(to));
    const forward: string[] = [];
    ways.set(id, forward);
    under.add(id);
    for (const to of targets)
      if (!under.has(to)) {
        forward.push(to);
        visit(to);
      }
    under.delete(id);
  };
  visit(path.start);
  return ways;
}

function layersOf(path: Path, ways: Ways): string[][] {
  const depth = new Map<string, number>([[path.start, 0]]);
  for (let round = 0, changed = true; changed && round <= path.steps.length; round += 1) {
    changed = false;
    for (const [from, targets] of ways)
      for (const to of targets)
        if ((depth.get(to) ?? -1) < (depth.get(from) ?? 0) + 1) {
          depth.set(to, (depth.get(from) ?? 0) + 1);
          changed = true;
        }
  }
  const layers: string[][] = [];
  for (const { id } of path.steps) {
    const row = ways.has(id) ? (depth.get(id) ?? 0) : Math.max(...depth.values()) + 1;
    (layers[row] ??= []).push(id);
  }
  return Array.from(layers, (layer) => layer ?? []);
}

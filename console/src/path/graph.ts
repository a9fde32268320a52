/** The path as nodes and edges of the canvas. */
import { MarkerType, type Edge, type Node } from "@xyflow/react";
import type { Path, Step } from "@/agent/schema";
import type { LaneEdgeType } from "./LaneEdge";
import { ROW, STEP_WIDTH, type Place } from "./layout";

export type StepNodeData = { step: Step; start: boolean; wrong: number; current: boolean };
export type StepNodeType = Node<StepNodeData, "step">;

/** The ways out of a step with what each is called. */
export function waysOut(step: Step, say: (key: string) => string): { to: string; label: string }[] {
  switch (step.type) {
    case "prompt":
      return step.transitions.map((item) => ({ to: item.to, label: item.name }));
    case "say":
      return [{ to: step.to, label: "" }];
    case "branch":
      return [...step.branches.map((item) => ({ to: item.to, label: `${item.variable} ${say(`operators.${item.operator}`)} ${item.value ?? ""}`.trim() })), { to: step.else, label: say("path.else") }];
    case "workflow":
      return [
        { to: step.on_success, label: say("path.success") },
        { to: step.on_error, label: say("path.error") },
      ];
    case "transfer":
      return [...Object.entries(step.outcomes).map(([outcome, to]) => ({ to, label: say(`outcomes.${outcome}`) })), { to: step.else, label: say("path.else") }];
    case "end":
      return [];
  }
}

export function nodesOf(path: Path, places: ReadonlyMap<string, Place>, wrong: (index: number) => number, current: string | null): StepNodeType[] {
  return path.steps.map((step, index) => ({
    id: step.id,
    type: "step",
    position: places.get(step.id) ?? { x: 0, y: 0 },
    data: { step, start: step.id === path.start, wrong: wrong(index), current: step.id === current },
    ariaLabel: step.name ?? step.id,
    selected: step.id === current,
  }));
}

const LINE = "#47605a";
const BESIDE = 30;

/** One edge between two steps, however many ways lead from one to the other. */
export function edgesOf(path: Path, places: ReadonlyMap<string, Place>, say: (key: string) => string): (Edge | LaneEdgeType)[] {
  const ids = new Set(path.steps.map((step) => step.id));
  const nextLane = lanes(places);
  return path.steps.flatMap((step) => {
    const labels = new Map<string, string[]>();
    for (const { to, label } of waysOut(step, say)) if (ids.has(to)) labels.set(to, [...(labels.get(to) ?? []), label]);
    return [...labels].map(([to, names]) => {
      const label = names.filter(Boolean).join(", ");
      const shared = { id: `${step.id}→${to}`, source: step.id, target: to, markerEnd: { type: MarkerType.ArrowClosed, color: LINE }, focusable: false };
      const side = sideOf(places.get(step.id), places.get(to));
      const style = { stroke: LINE, strokeWidth: 1.5, strokeLinejoin: "round" as const };
      if (side) return { ...shared, type: "lane" as const, style: side === "right" ? { ...style, strokeDasharray: "5 4" } : style, data: { lane: nextLane(side), side, label: shortened(label, 20) } };
      return { ...shared, label: shortened(label, 34), type: "smoothstep", style, ...LABEL };
    });
  });
}

const LABEL = { labelBgPadding: [6, 3] as [number, number], labelBgBorderRadius: 6, labelBgStyle: { fill: "#fbfcfa", fillOpacity: 1, stroke: "#d2dbd6" }, labelStyle: { fontSize: 12, fill: "#14302d" } };

/** Where an edge runs that would cross steps: ways back on the right, ways past other steps on the left. */
function sideOf(from: Place | undefined, to: Place | undefined): "left" | "right" | null {
  const down = (to?.y ?? 0) - (from?.y ?? 0);
  if (down <= 0) return "right";
  return down > ROW * 1.5 ? "left" : null;
}

/** Each edge beside the graph has a lane of its own. */
function lanes(places: ReadonlyMap<string, Place>): (side: "left" | "right") => number {
  const across = [...places.values()].map((place) => place.x);
  const next = { left: Math.min(...across), right: Math.max(...across) + STEP_WIDTH };
  return (side) => (next[side] += side === "right" ? BESIDE : -BESIDE);
}

function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

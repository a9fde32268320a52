import { BaseEdge, EdgeLabelRenderer, type Edge, type EdgeProps } from "@xyflow/react";

/** `lane` is where the line runs up or down: beside the graph, on the side that `side` says. */
export type LaneEdgeType = Edge<{ lane: number; side: "left" | "right"; label: string }, "lane">;

const STUB = 24;

/** A way back up, or one that leaves steps out: around the graph, so that it crosses no step. */
export function LaneEdge({ id, sourceX, sourceY, targetX, targetY, data, markerEnd, style }: EdgeProps<LaneEdgeType>) {
  if (!data) return null;
  const out = sourceY + STUB;
  const into = targetY - STUB;
  const path = `M ${sourceX} ${sourceY} V ${out} H ${data.lane} V ${into} H ${targetX} V ${targetY}`;
  const beside = data.side === "right" ? "translate(6px, -50%)" : "translate(calc(-100% - 6px), -50%)";
  return (
    <>
      <BaseEdge id={id} path={path} markerEnd={markerEnd} style={style} />
      {data.label && (
        <EdgeLabelRenderer>
          <span className="absolute rounded-md border border-line bg-surface px-1.5 py-0.5 text-xs whitespace-nowrap" style={{ transform: `translate(${data.lane}px, ${(out + into) / 2}px) ${beside}` }}>
            {data.label}
          </span>
        </EdgeLabelRenderer>
      )}
    </>
  );
}

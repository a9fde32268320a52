import { Background, Controls, Handle, Position, ReactFlow, ReactFlowProvider, useReactFlow, type NodeChange, type NodeProps } from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { CircleAlert, Play, Wand2 } from "lucide-react";
import { useCallback, useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Path } from "@/agent/schema";
import { useAgentEditor } from "@/agents/editor";
import type { FieldProblem } from "@/form/problems";
import { Button } from "@/ui/Button";
import { classes } from "@/ui/classes";
import { connect } from "./edits";
import { edgesOf, nodesOf, type StepNodeType } from "./graph";
import { STEP_LOOKS } from "./kinds";
import { LaneEdge } from "./LaneEdge";
import { usePlaces } from "./usePlaces";

interface PathCanvasProps {
  path: Path;
  selected: string | null;
  problems: ReadonlyMap<number, FieldProblem[]>;
  onSelect: (id: string) => void;
}

const NODE_TYPES = { step: StepNode };
/** How to see it all; the lines beside the graph, which the canvas does not count as a part of it, need room. */
function view(edges: readonly { type?: string; data?: Record<string, unknown> }[]) {
  const room = (side: string) => (edges.some((edge) => edge.data?.["side"] === side) ? "22%" : "8%") as `${number}%`;
  return { padding: { top: "8%", bottom: "8%", left: room("left"), right: room("right") } as const, maxZoom: 1 };
}

const EDGE_TYPES = { lane: LaneEdge };

export function PathCanvas(props: PathCanvasProps) {
  return (
    <ReactFlowProvider>
      <Canvas {...props} />
    </ReactFlowProvider>
  );
}

/** The graph, to be looked at, dragged and connected; the list beside it does the same with keys. */
function Canvas({ path, selected, problems, onSelect }: PathCanvasProps) {
  const { t } = useTranslation();
  const { id, edit, readOnly } = useAgentEditor();
  const { places, move, tidy } = usePlaces(id, path);
  const flow = useReactFlow();
  const shape = path.steps.map((step) => step.id).join(" ");

  const nodes = useMemo(() => nodesOf(path, places, (index) => problems.get(index)?.length ?? 0, selected), [path, places, problems, selected]);
  const edges = useMemo(() => edgesOf(path, places, t), [path, places, t]);
  const fit = useCallback(() => requestAnimationFrame(() => void flow.fitView({ ...view(flow.getEdges()), duration: 200 })), [flow]);
  useEffect(() => {
    fit();
  }, [fit, shape]);

  const onNodesChange = useCallback(
    (changes: NodeChange<StepNodeType>[]) => {
      for (const change of changes) if (change.type === "position" && change.position) move(change.id, change.position);
    },
    [move],
  );

  return (
    <section aria-label={t("path.canvas")} className="card relative h-[26rem] overflow-hidden @min-[45rem]:h-[34rem] @min-[60rem]:h-full">
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        onNodesChange={onNodesChange}
        onNodeClick={(_, node) => onSelect(node.id)}
        onConnect={({ source, target }) => edit((agent) => connect(agent, source, target))}
        nodesConnectable={!readOnly}
        nodesDraggable
        nodesFocusable={false}
        edgesFocusable={false}
        deleteKeyCode={null}
        minZoom={0.2}
        maxZoom={1.6}
        fitView
        fitViewOptions={view(edges)}
        ariaLabelConfig={{ "controls.zoomIn.ariaLabel": t("path.zoomIn"), "controls.zoomOut.ariaLabel": t("path.zoomOut"), "controls.fitView.ariaLabel": t("path.fit"), "controls.ariaLabel": t("path.controls") }}
      >
        <Background gap={22} size={1.4} color="#c3cfc9" />
        <Controls showInteractive={false} />
      </ReactFlow>
      <div className="absolute top-3 right-3 z-10">
        <Button
          small
          icon={Wand2}
          onClick={() => {
            tidy();
            fit();
          }}
        >
          {t("path.tidy")}
        </Button>
      </div>
    </section>
  );
}

function StepNode({ data }: NodeProps<StepNodeType>) {
  const { t } = useTranslation();
  const { step, start, wrong, current } = data;
  const { icon: Icon, tint } = STEP_LOOKS[step.type];
  return (
    <div className={classes("w-52 rounded-card border-2 bg-raised p-2.5 shadow-card", wrong ? "border-alarm" : current ? "border-brand" : "border-line", current && "ring-4 ring-brand/15")}>
      <Handle type="target" position={Position.Top} className="!size-2.5 !border-2 !border-white !bg-ink-soft" />
      <div className="flex items-center gap-2.5">
        <span className={classes("grid size-8 shrink-0 place-items-center rounded-lg", tint)}>
          <Icon aria-hidden className="size-4" />
        </span>
        <span className="min-w-0 flex-1">
          <span className="block truncate text-sm font-bold">{step.name ?? step.id}</span>
          <span className="flex items-center gap-1 text-xs text-ink-soft">
            {start && <Play aria-hidden className="size-3 fill-current" />}
            {start ? t("path.startMark", { kind: t(`path.kind.${step.type}`) }) : t(`path.kind.${step.type}`)}
          </span>
        </span>
        {wrong > 0 && <CircleAlert role="img" aria-label={t("editor.problems", { count: wrong })} className="size-4 shrink-0 text-alarm" />}
      </div>
      {step.type !== "end" && <Handle type="source" position={Position.Bottom} className="!size-3 !border-2 !border-white !bg-brand" />}
    </div>
  );
}

/** Whether the graph holds together: each problem on the step that has it. */
import type { Action, Path, Step } from "./schema";
import type { Segment } from "./schemaParts";
import { slug } from "./slug";

export interface PathProblem {
  path: Segment[];
  key: string;
  values?: Record<string, unknown>;
}

/** Where a step leads: the target's id, and where in the step it is written. */
export function exits(step: Step): { to: string; at: Segment[] }[] {
  switch (step.type) {
    case "prompt":
      return step.transitions.map((item, index) => ({ to: item.to, at: ["transitions", index, "to"] }));
    case "say":
      return [{ to: step.to, at: ["to"] }];
    case "branch":
      return [...step.branches.map((item, index) => ({ to: item.to, at: ["branches", index, "to"] as Segment[] })), { to: step.else, at: ["else"] }];
    case "workflow":
      return [
        { to: step.on_success, at: ["on_success"] },
        { to: step.on_error, at: ["on_error"] },
      ];
    case "transfer":
      return [...Object.entries(step.outcomes).map(([outcome, to]) => ({ to, at: ["outcomes", outcome] as Segment[] })), { to: step.else, at: ["else"] }];
    case "end":
      return [];
  }
}

export function pathProblems(path: Path, actions: readonly Action[]): PathProblem[] {
  const ids = path.steps.map((step) => step.id);
  const found: PathProblem[] = [];
  if (!ids.includes(path.start)) found.push({ path: ["path", "start"], key: "errors.startMissing" });
  path.steps.forEach((step, index) => {
    const here = ["path", "steps", index];
    if (ids.indexOf(step.id) !== index) found.push({ path: [...here, "id"], key: "errors.duplicateStep" });
    for (const { to, at } of exits(step))
      if (to !== "" && !ids.includes(to)) found.push({ path: [...here, ...at], key: "errors.targetMissing", values: { value: to } });
    found.push(...actionProblems(step, here, actions));
  });
  const reached = reachable(path);
  const ending = canEnd(path);
  path.steps.forEach((step, index) => {
    const here = ["path", "steps", index, "id"];
    if (!reached.has(step.id)) found.push({ path: here, key: "errors.unreachable" });
    else if (!ending.has(step.id)) found.push({ path: here, key: "errors.silentLoop" });
  });
  return found;
}

function actionProblems(step: Step, here: Segment[], actions: readonly Action[]): PathProblem[] {
  if (step.type === "transfer") {
    const known = actions.some((item) => item.type === "transfer" && item.name === step.action);
    return known || step.action === "" ? [] : [{ path: [...here, "action"], key: "errors.actionMissing", values: { value: step.action } }];
  }
  if (step.type !== "prompt") return [];
  const missing = step.actions.filter((name) => !actions.some((item) => item.name === name));
  const tools = new Set(step.actions.map(slug));
  return [
    ...missing.map((value) => ({ path: [...here, "actions"], key: "errors.actionMissing", values: { value } })),
    ...step.transitions.flatMap((item, index) =>
      tools.has(item.name) ? [{ path: [...here, "transitions", index, "name"], key: "errors.sameAsAction" }] : [],
    ),
  ];
}

export function reachable(path: Path): Set<string> {
  const byId = new Map(path.steps.map((step) => [step.id, step]));
  const reached = new Set<string>();
  const waiting = [path.start];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const step = byId.get(id);
    if (!step || reached.has(id)) continue;
    reached.add(id);
    waiting.push(...exits(step).map((exit) => exit.to));
  }
  return reached;
}

/** Steps from which somebody speaks or the call ends. */
function canEnd(path: Path): Set<string> {
  const alive = new Set(path.steps.filter((step) => step.type === "prompt" || step.type === "end").map((step) => step.id));
  for (let size = -1; size !== alive.size; ) {
    size = alive.size;
    for (const step of path.steps) if (exits(step).some((exit) => alive.has(exit.to))) alive.add(step.id);
  }
  return alive;
}

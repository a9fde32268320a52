/** Renaming and removing what other parts of the document name, so that nothing is left pointing nowhere. Pure. */
import type { Agent, Path, Step } from "./schema";

function eachStep(agent: Agent, change: (step: Step) => Step): Agent {
  return agent.path ? { ...agent, path: { ...agent.path, steps: agent.path.steps.map(change) } } : agent;
}

export function renameAction(agent: Agent, index: number, name: string): Agent {
  const action = agent.actions[index];
  if (!action || action.name === name) return agent;
  const renamed: Agent = { ...agent, actions: agent.actions.with(index, { ...action, name }) };
  if (agent.actions.some((other, place) => place !== index && other.name === action.name)) return renamed;
  return eachStep(renamed, (step) => {
    if (step.type === "prompt") return { ...step, actions: step.actions.map((used) => (used === action.name ? name : used)) };
    if (step.type === "transfer" && step.action === action.name) return { ...step, action: name };
    return step;
  });
}

/** Without the action; steps no longer enable it. A transfer step that needs it keeps the name and is shown as wrong. */
export function removeAction(agent: Agent, index: number): Agent {
  const removed = agent.actions[index];
  const without: Agent = { ...agent, actions: agent.actions.toSpliced(index, 1) };
  return eachStep(without, (step) => (step.type === "prompt" ? { ...step, actions: step.actions.filter((used) => used !== removed?.name) } : step));
}

/** Names of the steps that use an action. */
export function stepsUsing(path: Path | null, action: string): Step[] {
  return (path?.steps ?? []).filter((step) => (step.type === "prompt" ? step.actions.includes(action) : step.type === "transfer" && step.action === action));
}

/** A copy of a step whose ways out are all passed through `change`. */
export function retarget(step: Step, change: (to: string) => string): Step {
  switch (step.type) {
    case "prompt":
      return { ...step, transitions: step.transitions.map((item) => ({ ...item, to: change(item.to) })) };
    case "say":
      return { ...step, to: change(step.to) };
    case "branch":
      return { ...step, branches: step.branches.map((item) => ({ ...item, to: change(item.to) })), else: change(step.else) };
    case "workflow":
      return { ...step, on_success: change(step.on_success), on_error: change(step.on_error) };
    case "transfer":
      return { ...step, outcomes: Object.fromEntries(Object.entries(step.outcomes).map(([outcome, to]) => [outcome, change(to)])), else: change(step.else) };
    case "end":
      return step;
  }
}

/** The step under another id, everywhere: in transitions, and in templates and conditions that read `path.<step>.…`. */
export function renameStep(agent: Agent, id: string, next: string): Agent {
  const path = agent.path;
  if (!path || id === next || path.steps.some((step) => step.id === next)) return agent;
  const steps = path.steps.map((step) => retarget(step.id === id ? { ...step, id: next } : step, (to) => (to === id ? next : to)));
  const renamed: Agent = { ...agent, path: { start: path.start === id ? next : path.start, steps } };
  return inTexts(renamed, new RegExp(`\\bpath\\.${id}\\.`, "g"), `path.${next}.`) as Agent;
}

function inTexts(value: unknown, pattern: RegExp, next: string): unknown {
  if (typeof value === "string") return value.replace(pattern, next);
  if (Array.isArray(value)) return value.map((item) => inTexts(item, pattern, next));
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inTexts(item, pattern, next)]));
  return value;
}

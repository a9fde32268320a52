/** Changes of the conversation graph. Pure: an agent in, an agent out. */
import { blankStep, blankTransition } from "@/agent/blank";
import type { StepKind } from "@/agent/limits";
import { OPERATORS_WITHOUT_VALUE } from "@/agent/limits";
import { retarget } from "@/agent/references";
import type { Agent, Branch, Path, Step } from "@/agent/schema";
import { freeId, slug } from "@/agent/slug";

export function withPath(agent: Agent, change: (path: Path) => Path): Agent {
  return agent.path ? { ...agent, path: change(agent.path) } : agent;
}

/** A path of one prompt step, which behaves as the agent did without one: every action on. */
export function startPath(agent: Agent, name: string): Agent {
  const id = freeId(name, []);
  const step = blankStep("prompt", id, name, id) as Extract<Step, { type: "prompt" }>;
  return { ...agent, path: { start: id, steps: [{ ...step, actions: agent.actions.map((action) => action.name) }] } };
}

/** The step that a new one leads to: an end if there is one, else the start. */
function fallbackTarget(path: Path): string {
  return path.steps.find((step) => step.type === "end")?.id ?? path.start;
}

/**
 * One more step, led to from another one when there is one: a step that nothing leads to could not be saved.
 * Returns the agent and the new step's id.
 */
export function addStep(agent: Agent, kind: StepKind, name: string, after: string | null): { agent: Agent; id: string } {
  const path = agent.path;
  if (!path) return { agent, id: "" };
  const id = freeId(name, path.steps.map((step) => step.id));
  const count = path.steps.filter((step) => step.type === kind).length;
  const step = blankStep(kind, id, count ? `${name} ${count + 1}` : name, fallbackTarget(path));
  const made = kind === "transfer" ? { ...step, action: agent.actions.find((action) => action.type === "transfer")?.name ?? "" } : step;
  const added: Agent = { ...agent, path: { ...path, steps: [...path.steps, made as Step] } };
  return { agent: after ? connect(added, after, id) : added, id };
}

/** One more way from a step to another; where a step has a single way out, that one. */
export function connect(agent: Agent, from: string, to: string): Agent {
  return withPath(agent, (path) => ({ ...path, steps: path.steps.map((step) => (step.id === from ? connected(step, to) : step)) }));
}

function connected(step: Step, to: string): Step {
  switch (step.type) {
    case "prompt": {
      const name = freeTransition(step.transitions.map((item) => item.name), `go_to_${slug(to)}`);
      return { ...step, transitions: [...step.transitions, blankTransition(name, to)] };
    }
    case "say":
      return { ...step, to };
    case "branch":
      return { ...step, branches: [...step.branches, { variable: "", operator: "is_set", value: null, to }] };
    case "workflow":
      return { ...step, on_success: to };
    case "transfer":
      return { ...step, else: to };
    case "end":
      return step;
  }
}

/** A name for a transition that is not among those taken. */
export function freeTransition(taken: readonly string[], wanted: string): string {
  const base = wanted.slice(0, 60);
  let name = base;
  for (let count = 2; taken.includes(name); count += 1) name = `${base}_${count}`;
  return name;
}

/** Without the step; what led to it: transitions, branches and outcomes go, single ways out lead to where it led, or to the start. */
export function removeStep(agent: Agent, id: string): Agent {
  return withPath(agent, (path) => {
    const removed = path.steps.find((step) => step.id === id);
    const rest = path.steps.filter((step) => step.id !== id);
    const [first] = rest;
    if (!removed || !first) return path;
    const start = path.start === id ? first.id : path.start;
    const instead = nextOf(removed, id) ?? start;
    return { start, steps: rest.map((step) => detached(step, id, instead)) };
  });
}

function nextOf(step: Step, id: string): string | undefined {
  const found: string[] = [];
  retarget(step, (to) => {
    found.push(to);
    return to;
  });
  return found.find((to) => to !== id && to !== "");
}

function detached(step: Step, gone: string, instead: string): Step {
  switch (step.type) {
    case "prompt":
      return { ...step, transitions: step.transitions.filter((item) => item.to !== gone) };
    case "branch": {
      const left = step.branches.filter((item) => item.to !== gone);
      return retarget({ ...step, branches: left.length ? left : step.branches }, (to) => (to === gone ? instead : to));
    }
    case "transfer": {
      const outcomes = Object.fromEntries(Object.entries(step.outcomes).filter(([, to]) => to !== gone));
      return { ...step, outcomes, else: step.else === gone ? instead : step.else };
    }
    default:
      return retarget(step, (to) => (to === gone ? instead : to));
  }
}

export function setStart(agent: Agent, id: string): Agent {
  return withPath(agent, (path) => ({ ...path, start: id }));
}

/** The condition with another operator: those that take no value lose it. */
export function withOperator(branch: Branch, operator: Branch["operator"]): Branch {
  return { ...branch, operator, value: OPERATORS_WITHOUT_VALUE.includes(operator) ? null : (branch.value ?? "") };
}

/** What was typed as the value of a condition: a number where it is one and reads the same. `06` is how a telephone number begins. */
export function readValue(typed: string): string | number {
  return /^-?\d+(\.\d+)?$/.test(typed) && String(Number(typed)) === typed ? Number(typed) : typed;
}

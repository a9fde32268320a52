import { describe, expect, test } from "vitest";
import { blankStep, blankTransition } from "@/agent/blank";
import { pathProblems } from "@/agent/pathProblems";
import { removeAction, renameAction, renameStep } from "@/agent/references";
import type { Agent, PromptStep } from "@/agent/schema";
import { blankAction } from "@/agent/blank";
import { begin, editing, isDirty } from "@/agents/editing";
import i18n from "@/i18n";
import { newAgent } from "@/test/render";
import { addStep, connect, readValue, removeStep, setStart, startPath, withOperator } from "./edits";
import { forwardWays, layout } from "./layout";

const say = i18n.getFixedT("fr");
const prompt = (id: string, ...to: string[]): PromptStep => ({ ...(blankStep("prompt", id, id, "") as PromptStep), transitions: to.map((target) => blankTransition(`to_${target}`, target)) });
const end = blankStep("end", "fin", "Fin", "");

function twoSteps(): Agent {
  return newAgent({ actions: [blankAction("hang_up", say), { ...blankAction("transfer", say), name: "Support" }], path: { start: "accueil", steps: [{ ...prompt("accueil", "rdv"), actions: ["Support", "Raccrocher"] }, prompt("rdv", "fin"), end] } });
}
const ids = (agent: Agent) => agent.path?.steps.map((step) => step.id);

describe("editing a path", () => {
  test("starts with one conversation that has every action on", () => {
    const agent = startPath(newAgent({ actions: [blankAction("wait", say)] }), "Accueil");
    expect(agent.path).toMatchObject({ start: "accueil", steps: [{ type: "prompt", actions: ["Attendre"] }] });
  });

  test("a step added after another is led to, so that nothing is out of reach", () => {
    const { agent, id } = addStep(twoSteps(), "say", "Phrase fixe", "rdv");
    expect(id).toBe("phrase-fixe");
    expect(agent.path && pathProblems(agent.path, agent.actions)).toEqual([]);
  });

  test("connecting gives a transition of its own name", () => {
    const agent = connect(connect(twoSteps(), "accueil", "fin"), "accueil", "fin");
    const names = (agent.path?.steps[0] as PromptStep).transitions.map((item) => item.name);
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  });

  test("removing a step leaves no way to it", () => {
    const agent = removeStep(twoSteps(), "rdv");
    expect(ids(agent)).toEqual(["accueil", "fin"]);
    expect((agent.path?.steps[0] as PromptStep).transitions).toEqual([]);
  });

  test("removing the start makes another step the start; the last step stays", () => {
    expect(removeStep(twoSteps(), "accueil").path?.start).toBe("rdv");
    const one = startPath(newAgent(), "Accueil");
    expect(removeStep(one, "accueil")).toEqual(one);
  });

  test("renaming a step rewrites transitions, the start and templates that read its values", () => {
    const agent = { ...twoSteps(), prompt: "Bonjour {{ path.accueil.name }}, {{ path.accueil2.name }}" };
    const renamed = renameStep(agent, "accueil", "entree");
    expect(renamed.path?.start).toBe("entree");
    expect(renamed.prompt).toBe("Bonjour {{ path.entree.name }}, {{ path.accueil2.name }}");
    expect(renameStep(setStart(agent, "rdv"), "rdv", "jour").path?.steps[0]).toMatchObject({ transitions: [{ to: "jour" }] });
  });

  test("a step never takes another one's id", () => {
    const agent = twoSteps();
    expect(renameStep(agent, "accueil", "rdv")).toBe(agent);
  });

  test("renaming an action rewrites the steps that enable it; removing it switches it off", () => {
    expect((renameAction(twoSteps(), 1, "Aide").path?.steps[0] as PromptStep).actions).toEqual(["Aide", "Raccrocher"]);
    expect((removeAction(twoSteps(), 1).path?.steps[0] as PromptStep).actions).toEqual(["Raccrocher"]);
  });

  test("a condition without a value keeps none, and numbers are read as numbers", () => {
    const branch = { variable: "age", operator: "equals" as const, value: "3", to: "fin" };
    expect(withOperator(branch, "is_set").value).toBeNull();
    expect(withOperator({ ...branch, operator: "is_set", value: null }, "contains").value).toBe("");
    expect(["12", "1.5", "-3", "douze", ""].map(readValue)).toEqual([12, 1.5, -3, "douze", ""]);
    expect(["06", "1.0", "-0", "12 ", "1e3"].map(readValue)).toEqual(["06", "1.0", "-0", "12 ", "1e3"]);
  });
});

describe("what is wrong with a path", () => {
  test.each([
    ["errors.startMissing", { start: "rien", steps: [prompt("a")] }],
    ["errors.targetMissing", { start: "a", steps: [prompt("a", "b")] }],
    ["errors.unreachable", { start: "a", steps: [prompt("a"), prompt("b")] }],
    ["errors.duplicateStep", { start: "a", steps: [prompt("a"), prompt("a")] }],
    ["errors.actionMissing", { start: "a", steps: [{ ...prompt("a"), actions: ["Rien"] }] }],
    ["errors.silentLoop", { start: "a", steps: [prompt("a", "b"), { ...blankStep("say", "b", "b", "c"), text: "x" }, { ...blankStep("say", "c", "c", "b"), text: "x" }] as never }],
  ])("%s", (key, path) => {
    expect(pathProblems(path, []).map((problem) => problem.key)).toContain(key);
  });
});

describe("undo and redo", () => {
  const change = (path: string, next: unknown, at: number) => ({ type: "changed" as const, path: [path], next, at });

  test("go back and forth through every kind of change", () => {
    const first = begin(twoSteps(), 4);
    const second = editing(first, { type: "edited", edit: (agent) => removeStep(agent, "rdv") });
    const undone = editing(second, { type: "undone" });
    expect(undone.draft).toEqual(first.draft);
    expect(isDirty(undone)).toBe(false);
    expect(editing(undone, { type: "redone" }).draft).toEqual(second.draft);
  });

  test("letters typed in a row are one step; another field or a pause begins the next", () => {
    let state = begin(newAgent(), 1);
    for (const event of [change("name", "A", 0), change("name", "Ac", 100), change("prompt", "B", 200), change("name", "Acc", 5000)]) state = editing(state, event);
    expect(state.past.length).toBe(3);
    expect(editing(state, { type: "undone" }).draft.name).toBe("Ac");
  });

  test("saving the failover tab is no step to undo, and stays after one", () => {
    const tab = { failover: { enabled: true, forced_until: null, during_call: true, action: { type: "message" as const, text: "x", language: "fr-FR" } }, default_error_message: null };
    let state = editing(begin(newAgent(), 1), change("name", "B", 0));
    state = editing(state, { type: "failoverSaved", tab, madeFrom: 1, revision: 2 });
    expect(isDirty(state)).toBe(true);
    expect(editing(state, { type: "undone" }).draft.failover).toEqual(tab.failover);
    expect(state.revision).toBe(2);
  });

  test("a failover tab saved over somebody else's draft leaves ours stale, so that its save shows theirs", () => {
    const tab = { failover: newAgent().failover, default_error_message: null };
    expect(editing(begin(newAgent(), 1), { type: "failoverSaved", tab, madeFrom: 5, revision: 6 }).revision).toBe(1);
  });
});

describe("the layout", () => {
  test("puts each step below every step that leads to it, and ways back aside", () => {
    const path = { start: "a", steps: [prompt("a", "b", "c"), prompt("b", "c", "a"), prompt("c")] };
    const places = layout(path);
    expect([places.get("a")?.y, places.get("b")?.y, places.get("c")?.y]).toEqual([0, 150, 300]);
    expect(forwardWays(path).get("b")).toEqual(["c"]);
  });

  test("gives every step a place of its own, also those that nothing leads to", () => {
    const path = { start: "a", steps: [prompt("a", "b", "c"), prompt("b"), prompt("c"), prompt("lost")] };
    const places = [...layout(path).values()].map(({ x, y }) => `${x},${y}`);
    expect(new Set(places).size).toBe(4);
  });
});

import { describe, expect, test } from "vitest";
import i18n from "@/i18n";
import { problemsOf } from "@/form/problems";
import { newAgent } from "@/test/render";
import { blankAction } from "./blank";
import { combine, differences } from "./differences";
import { agent as schema, type Agent, type TransferAction } from "./schema";
import { slug } from "./slug";
import { AGENT_TEMPLATES, fromTemplate } from "./templates";

const say = i18n.getFixedT("fr");
const keys = (agent: Agent) => problemsOf(schema, agent).map((problem) => `${problem.path} ${problem.key}`);
const transfer = (change: Partial<TransferAction> = {}): TransferAction => ({ ...(blankAction("transfer", say) as TransferAction), destinations: [{ phone: "+33612345678", extension: null, description: "" }], ...change });

describe("the agent's document", () => {
  test.each(AGENT_TEMPLATES)("the template %s is valid in both languages", (template) => {
    for (const language of ["fr", "en"]) expect(keys(fromTemplate({ template, name: "Maison", language: `${language}-${language === "fr" ? "FR" : "GB"}`, timezone: "Europe/Paris" }, i18n.getFixedT(language)))).toEqual([]);
  });

  test.each(["hang_up", "keypad", "wait"] as const)("one %s action at most", (kind) => {
    const one = blankAction(kind, say);
    expect(keys(newAgent({ actions: [one, { ...one, name: "Autre" }] }))).toEqual(["actions[1].name errors.singleAction"]);
  });

  test.each([
    ["duplicate numbers", transfer({ destinations: [0, 1].map(() => ({ phone: "+33612345678", extension: null, description: "" })) }), "actions[0].destinations[1].phone errors.duplicateDestination"],
    ["nobody to call", transfer({ destinations: [] }), "actions[0].destinations errors.noDestination"],
    ["an extension without a connection", transfer({ destinations: [{ phone: null, extension: "12", description: "" }] }), "actions[0].destinations[0].extension errors.extensionNeedsSip"],
    ["ringing too short", transfer({ max_ring_seconds: 4 }), "actions[0].max_ring_seconds errors.tooSmall"],
    ["ringing too long", transfer({ max_ring_seconds: 46 }), "actions[0].max_ring_seconds errors.tooBig"],
    ["an empty schedule", transfer({ schedule: { enabled: true, mode: "inside", ranges: [], closed_dates: [] } }), "actions[0].schedule.ranges errors.scheduleEmpty"],
    ["a header's name", transfer({ headers: [{ name: "X Queue", value: "1" }] }), "actions[0].headers[0].name errors.headerName"],
    ["a header's value", transfer({ headers: [{ name: "X-Queue", value: "1\r\nVia: x" }] }), "actions[0].headers[0].value errors.headerValue"],
  ])("transfer: %s", (_, action, problem) => {
    expect(keys(newAgent({ actions: [action] }))).toContain(problem);
  });

  test("recording needs an announcement, failover an inbound agent", () => {
    expect(keys(newAgent({ record_audio: true }))).toEqual(["announcement errors.announcement"]);
    const failover = { enabled: true, forced_until: null, during_call: false, action: { type: "message" as const, text: "x", language: "fr-FR" } };
    expect(keys(newAgent({ direction: "outbound", failover }))).toEqual(["failover.enabled errors.failoverInbound"]);
    expect(keys(newAgent({ failover: { ...failover, action: { ...failover.action, text: "{{ name }}" } } }))).toEqual(["failover.action.text errors.literalText"]);
  });

  test("names are told apart as the model sees them", () => {
    expect(slug("Transfert d'été")).toBe("transfert_d_ete");
    expect(keys(newAgent({ actions: [transfer({ name: "Été" }), transfer({ name: "ete" })] }))).toEqual(["actions[1].name errors.duplicateAction"]);
  });
});

describe("two versions", () => {
  test("differ value by value, lists by what their items are called", () => {
    const before = newAgent({ actions: [transfer(), blankAction("wait", say)] });
    const after = { ...before, name: "Autre", actions: [blankAction("wait", say), transfer({ max_ring_seconds: 30 })] };
    expect(differences(before, after)).toEqual([
      { place: [{ kind: "key", text: "name" }], before: "Standard", after: "Autre" },
      { place: [{ kind: "key", text: "actions" }, { kind: "item", text: "Transfert" }, { kind: "key", text: "max_ring_seconds" }], before: 20, after: 30 },
    ]);
  });

  test("are combined without losing either's changes, ours first", () => {
    const base = newAgent();
    const merged = combine(base, { ...base, name: "Le mien", prompt: "A" }, { ...base, prompt: "B", greeting: "Bonjour" });
    expect(merged).toMatchObject({ name: "Le mien", prompt: "A", greeting: "Bonjour" });
  });
});

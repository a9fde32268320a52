import { describe, expect, test } from "vitest";
import type { FailoverTab } from "@/agent/schema";
import type { FailoverTried, TimelineEvent } from "@/api/types";
import { heardFrom, noWayOut, outdated, verdict, whyFailed } from "./tries";

const TAB: FailoverTab = { failover: { enabled: true, forced_until: null, during_call: false, action: { type: "message", text: "Fermé.", language: "fr-FR" } }, default_error_message: null };

function event(number: number, at_ms: number, kind: TimelineEvent["kind"], payload: Record<string, unknown> = {}): TimelineEvent {
  return { number, at_ms, actor: "system", kind, payload };
}

function tried(values: Partial<FailoverTried> = {}): FailoverTried {
  const plain: FailoverTried = {
    trigger: "pre_call_error",
    agent_answers: false,
    installation_on: true,
    status: "failover",
    action: "message",
    outcome: "played",
    ended_by: "system",
    end_reason: "",
    cut_short: false,
    seconds: 3,
    audio_id: "a",
    events: [],
    runs: [],
  };
  return { ...plain, ...values };
}

describe("what is said of a try", () => {
  test.each([
    [{ outcome: "played" }, "played", "good"],
    [{ outcome: "transferred" }, "transferred", "good"],
    [{ outcome: "ended" }, "ended", "good"],
    [{ outcome: "default_error_message" }, "fellBack", "fallback"],
    [{ outcome: null, status: "failed" as const }, "switchedOff", "fallback"],
    [{ outcome: null, audio_id: null }, "nothing", "bad"],
    [{ outcome: "nothing_heard" }, "nothing", "bad"],
    [{ outcome: "stopped", cut_short: true }, "cutShort", "good"],
    [{ outcome: null, audio_id: null, agent_answers: true }, "agentAnswers", "good"],
  ])("%o", (values, key, tone) => expect(verdict(tried(values))).toEqual({ key, tone }));

  test("is outdated once the form has changed", () => {
    const made = { tab: TAB, destination: "answered" as const, tried: tried() };
    expect(outdated(made, structuredClone(TAB), "answered")).toBe(false);
    expect(outdated(made, { ...TAB, default_error_message: { text: "Pardon.", language: "fr-FR" } }, "answered")).toBe(true);
  });

  test("is outdated by another destination only when somebody was rung", () => {
    const said = { tab: TAB, destination: "answered" as const, tried: tried() };
    expect(outdated(said, TAB, "busy")).toBe(false);
    const rung = { ...said, tried: tried({ events: [event(1, 2, "leg", { event: "dialled" })] }) };
    expect(outdated(rung, TAB, "busy")).toBe(true);
  });
});

describe("why it failed", () => {
  const failing = (detail: string) => whyFailed(tried({ events: [event(1, 1, "failover", { event: "begun", detail: "a rehearsal" }), event(2, 9, "failover", { event: "failed", detail })] }));

  test("nothing failed", () => expect(whyFailed(tried())).toBeNull());
  test.each([
    ["+33123456780: busy, Busy Here", { whom: "+33123456780", outcome: "busy", detail: "" }],
    ["+33123456780: no_answer, rang for 20 s", { whom: "+33123456780", outcome: "no_answer", detail: "" }],
    ["901: unreachable, pbx.example.com:5060 neither rang nor answered", { whom: "901", outcome: "unreachable", detail: "" }],
    ["901: refused_by_policy, Numbers that begin with +1 may not be called", { whom: "901", outcome: "refused_by_policy", detail: "Numbers that begin with +1 may not be called" }],
    ["there is no published failover workflow 'x'", { whom: "", outcome: "", detail: "there is no published failover workflow 'x'" }],
    ["step a: the server said: busy", { whom: "", outcome: "", detail: "step a: the server said: busy" }],
  ])("%s", (words, found) => expect(failing(words)).toEqual(found));

  test("there was nothing to ring over", () => {
    const failed = failing("+33123456780: unreachable, There is no SIP connection to call over: set one.");
    expect(failed && noWayOut(failed)).toBe(true);
  });
});

test("the recording begins when the caller is answered", () => {
  expect(heardFrom(tried({ events: [event(1, 0, "ringing"), event(2, 1003, "answered")] }))).toBe(1003);
  expect(heardFrom(tried())).toBe(0);
});

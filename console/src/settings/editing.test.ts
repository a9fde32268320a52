import { describe, expect, test } from "vitest";
import { problemsOf } from "@/form/problems";
import type { InstallationSettings } from "@/api/types";
import { SETTINGS } from "@/test/settings";
import { begin, follow, isDirty } from "./editing";
import { settings } from "./schema";
import { tabOf, TABS } from "./tabs";

const edited = (change: Partial<InstallationSettings>) => ({ ...begin({ document: SETTINGS, revision: 4 }), draft: { ...SETTINGS, ...change } });
const newer = (change: Partial<InstallationSettings>, revision = 5) => ({ revision, document: { ...SETTINGS, ...change } });

describe("settings that were stored by somebody else meanwhile", () => {
  test("never take the place of what is being edited, nor hide that the save is stale", () => {
    const state = edited({ max_outbound_legs: 10 });
    expect(follow(state, newer({ max_outbound_legs: 20 }))).toBe(state);
    expect(follow(state, newer({ alert_url: "https://example.net" }))).toBe(state);
    expect(follow(state, newer({ failover_enabled: true, alert_url: "https://example.net" }))).toBe(state);
  });

  test("are taken when there is nothing to lose", () => {
    const state = follow(edited({}), newer({ max_outbound_legs: 20 }));
    expect(state.draft.max_outbound_legs).toBe(20);
    expect(state.revision).toBe(5);
    expect(isDirty(state)).toBe(false);
  });

  test("are no change when they are what was edited", () => {
    expect(isDirty(follow(edited({ max_outbound_legs: 10 }), newer({ max_outbound_legs: 10 })))).toBe(false);
  });

  test("do not count when they are older", () => {
    const state = edited({});
    expect(follow(state, newer({ max_outbound_legs: 20 }, 3))).toBe(state);
    expect(follow(state, newer({ max_outbound_legs: 20 }, 4))).toBe(state);
  });

  test("go along with what is edited when only failover was switched", () => {
    const state = follow(edited({ max_outbound_legs: 10 }), newer({ failover_enabled: true }));
    expect(state.draft).toMatchObject({ max_outbound_legs: 10, failover_enabled: true });
    expect(state.revision).toBe(5);
    expect(isDirty(state)).toBe(true);
  });
});

describe("what is wrong with settings", () => {
  const paths = (change: Record<string, unknown>) => problemsOf(settings, { ...SETTINGS, ...change }).map((problem) => problem.path);

  test("is nothing for those that the server gives", () => {
    expect(paths({})).toEqual([]);
  });

  test.each([
    [{ max_outbound_legs: -1 }, "max_outbound_legs"],
    [{ max_outbound_legs: 1.5 }, "max_outbound_legs"],
    [{ max_outbound_per_minute: 10_001 }, "max_outbound_per_minute"],
    [{ max_bridged_seconds: 59 }, "max_bridged_seconds"],
    [{ max_bridged_seconds: Number.NaN }, "max_bridged_seconds"],
    [{ retention: { recordings_days: 3651, calls_days: 1 } }, "retention.recordings_days"],
    [{ retention: { recordings_days: 0, calls_days: -1 } }, "retention.calls_days"],
    [{ refused_prefixes: ["+33", "0899"] }, "refused_prefixes[1]"],
    [{ alert_url: "example.net" }, "alert_url"],
    [{ default_error_message: { text: "", language: "fr-FR" } }, "default_error_message.text"],
    [{ default_error_message: { text: "Bonjour {{ name }}", language: "fr-FR" } }, "default_error_message.text"],
    [{ embedding: { type: "openai", model: null, base_url: "ftp://x", api_key: null } }, "embedding.base_url"],
  ])("%j is found at its place", (change, path) => {
    expect(paths(change)).toEqual([path]);
  });

  test("each value is on a part that exists", () => {
    for (const name of Object.keys(SETTINGS)) expect(TABS).toContain(tabOf(name));
    expect(tabOf("retention.calls_days")).toBe("privacy");
  });
});

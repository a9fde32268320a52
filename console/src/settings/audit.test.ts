import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { AuditEntry } from "@/api/types";
import { en } from "@/i18n/en/index";
import { differencesOf, nameOf, pageOf, placesOf } from "./audit";

const entry = (change: Partial<AuditEntry> = {}): AuditEntry => ({
  id: 1,
  at: "2026-05-01T12:00:00Z",
  actor_kind: "user",
  actor_id: "u1",
  actor_name: "camille",
  action: "key.create",
  target_kind: "key",
  target_id: "k1",
  changes: [],
  ...change,
});

describe("the name of what was changed", () => {
  test("is today's, else what it was called then, else the id", () => {
    const changes = [{ path: "name", before: "Old", after: null }];
    expect(nameOf(entry({ changes }), new Map([["k1", "Shop"]]))).toBe("Shop");
    expect(nameOf(entry({ changes }), new Map())).toBe("Old");
    expect(nameOf(entry(), new Map())).toBe("k1");
  });

  test("is not the id of the settings, which are only one", () => {
    expect(nameOf(entry({ target_kind: "settings", target_id: "settings" }), new Map())).toBe("");
  });

  test("is a text, whatever a document has under that name", () => {
    expect(nameOf(entry({ changes: [{ path: "name", before: null, after: { de: "x" } }] }), new Map())).toBe("k1");
  });
});

test("nothing leads to what was deleted, or has no page", () => {
  expect(pageOf(entry({ action: "agent.delete", target_kind: "agent", target_id: "front" }))).toBeNull();
  expect(pageOf(entry())).toBeNull();
  expect(pageOf(entry({ action: "agent.save", target_kind: "agent", target_id: "front" }))).toBe("/agents/front");
});

test("parts that changed are told once each, and not too many", () => {
  const change = (path: string) => ({ path, before: 1, after: 2 });
  expect(placesOf([change("steps[0].prompt"), change("steps[1].prompt"), change("name")])).toEqual(["steps", "name"]);
  expect(placesOf(["a", "b", "c", "d"].map(change))).toEqual(["a", "b", "c", "…"]);
  expect(placesOf([change("")])).toEqual([]);
});

test("a place in a list is counted as people do", () => {
  const [found] = differencesOf([{ path: "providers.llm[0].model", before: null, after: "large" }]);
  expect(found?.place.map(({ text }) => text)).toEqual(["providers", "llm", "1", "model"]);
});

test("every action that the server notes can be read", () => {
  const routes = join(process.cwd(), "../src/parlons/api/routes");
  const noted = readdirSync(routes)
    .filter((name) => name.endsWith(".py"))
    .flatMap((name) => [...readFileSync(join(routes, name), "utf8").matchAll(/note\(\s*(?:self\._)?parts,\s*who,\s*"([a-z_]+)\.([a-z_]+)"/g)].map(([, kind = "", did = ""]) => [kind, did] as const));
  const documents = ["sip_connection", "workflow", "data_source"].flatMap((kind) => ["create", "save", "delete"].map((did) => [kind, did] as const));
  expect(noted.length).toBeGreaterThan(15);
  const words = en.audit.did as Record<string, Record<string, string>>;
  expect([...noted, ...documents].filter(([kind, did]) => !words[kind]?.[did])).toEqual([]);
});

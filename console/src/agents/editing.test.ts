import { expect, test } from "vitest";
import { newAgent } from "@/test/render";
import { begin, editing, isDirty } from "./editing";

test("what is typed while a save is under way stays to be saved", () => {
  const stored = newAgent({ name: "Accueil" });
  const sent = { ...stored, greeting: "Bonjour." };
  const typing = editing(begin(stored, 1), { type: "edited", edit: () => ({ ...sent, prompt: "Réponds." }) });
  const saved = editing(typing, { type: "saved", document: sent, revision: 2, sent });
  expect([saved.draft.greeting, saved.draft.prompt, saved.revision, isDirty(saved)]).toEqual(["Bonjour.", "Réponds.", 2, true]);
  const nothing = editing(begin(sent, 1), { type: "saved", document: sent, revision: 2, sent });
  expect(isDirty(nothing)).toBe(false);
});

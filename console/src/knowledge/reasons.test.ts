import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { en } from "@/i18n/en/index";
import { fr } from "@/i18n/fr/index";
import i18n from "@/i18n";
import { positionText, reason, reasonOf } from "./reasons";

const KNOWLEDGE = join(process.cwd(), "../src/parlons/knowledge");

/** Every reason in the server's source, with something in place of what it fills in. */
function reasonsOfTheServer(): string[] {
  const files = readdirSync(KNOWLEDGE, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".py"));
  const sources = [...files.map((name) => readFileSync(join(KNOWLEDGE, name), "utf8")), readFileSync(join(KNOWLEDGE, "../commands/knowledge.py"), "utf8")];
  return sources
    .flatMap((source) => [...source.matchAll(/DocumentRefused\(\s*"\w+",\s*f?"([^"]+)"/g)].map(([, text]) => text ?? ""))
    .map((text) => text.replace("{what}", "a workbook").replace(/\{[^}]*\}/g, "12"));
}

test("every reason of the server is known", () => {
  const found = reasonsOfTheServer();
  expect(found.length).toBeGreaterThan(18);
  // Of the command only: a path on the machine that it runs on.
  expect(found.filter((text) => !reasonOf(text) && !text.endsWith("cannot be read: 12."))).toEqual([]);
});

test("what a reason asks for can be said in both languages, with its number", async () => {
  for (const [language, dictionary] of [["fr", fr], ["en", en]] as const) {
    await i18n.changeLanguage(language);
    for (const text of reasonsOfTheServer()) {
      const said = reason(i18n.t, text);
      expect(said, text).not.toContain("knowledge.reason");
      expect(said, text).not.toContain("{{");
    }
    expect(Object.keys(dictionary.knowledge.reason)).toContain("scanned");
  }
  expect(reason(i18n.t, "The site answers 404 for this page.")).toContain("404");
  expect(reason(i18n.t, "The table cannot be read from line 17 on. Look for a quote.")).toContain("17");
});

test("a reason that is not known is shown as it came", () => {
  expect(reason(i18n.t, "Something new. Do this.")).toBe("Something new. Do this.");
});

test("places are counted in the console's language, headings stay what they are", async () => {
  await i18n.changeLanguage("fr");
  expect(positionText(i18n.t, "row 12")).toBe("ligne 12");
  expect(positionText(i18n.t, "Livraison > Retours")).toBe("Livraison > Retours");
  expect(positionText(i18n.t, "page 3 of many")).toBe("page 3 of many");
});

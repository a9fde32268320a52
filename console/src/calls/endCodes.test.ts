import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { en } from "@/i18n/en/index";
import { fr } from "@/i18n/fr/index";
import type { Translate } from "@/i18n";
import { endReason } from "./describe";

const source = readFileSync(join(process.cwd(), "../src/parlons/calls/timeline.py"), "utf8");
const body = /class EndCode\(enum\.StrEnum\):\n([\s\S]*?)\n\n\nclass /.exec(source)?.[1] ?? "";
const codes = [...body.matchAll(/^ {4}[A-Z_]+ = "(\w+)"$/gm)].map(([, code]) => code ?? "").sort();

/** As i18next does with several keys: the first that is there, else the last as it stands. */
const t = ((keys: string | string[]) => {
  const known: Record<string, string> = Object.fromEntries(Object.entries(fr.endCodes).map(([code, words]) => [`endCodes.${code}`, words]));
  const wanted = [keys].flat();
  return wanted.map((key) => known[key]).find(Boolean) ?? wanted.at(-1);
}) as unknown as Translate;

describe("why a call ended", () => {
  test("every code of the server has its sentence in both languages, and no other has", () => {
    expect(codes.length).toBeGreaterThan(20);
    expect(Object.keys(fr.endCodes).sort()).toEqual(codes);
    expect(Object.keys(en.endCodes).sort()).toEqual(codes);
  });

  test("is said in the console's language, else as the server wrote it", () => {
    expect(endReason(t, "hung_up", "hung up")).toBe("A raccroché");
    expect(endReason(t, "a_newer_code", "the moon is full")).toBe("the moon is full");
    expect(endReason(t, null, "the moon is full")).toBe("the moon is full");
    expect(endReason(t, undefined, "")).toBe("");
  });
});

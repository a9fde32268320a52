import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { firstLanguage } from ".";
import { en } from "./en/index";
import { fr } from "./fr/index";

function leaves(node: object, place = ""): [string, string][] {
  return Object.entries(node).flatMap(([key, value]) => (typeof value === "string" ? [[place + key, value] as [string, string]] : leaves(value as object, `${place}${key}.`)));
}

const french = new Map(leaves(fr));
const english = new Map(leaves(en));
const SOURCE = join(process.cwd(), "src");

function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return files(path);
    return /\.tsx?$/.test(name) && !/\.test\./.test(name) && !path.includes("/test/") ? [path] : [];
  });
}

describe("the dictionaries", () => {
  test("have the same keys", () => {
    expect([...french.keys()].sort()).toEqual([...english.keys()].sort());
  });

  test("have the same values to fill in", () => {
    const holes = (text: string) => [...text.matchAll(/\{\{\s*(\w+)/g)].map(([, name]) => name).sort();
    for (const [key, text] of french) expect(holes(text), key).toEqual(holes(english.get(key) ?? ""));
  });

  test("are empty nowhere", () => {
    for (const [key, text] of [...french, ...english]) expect(text.trim(), key).not.toBe("");
  });

  test("hold every key that the code names", () => {
    const missing: string[] = [];
    for (const path of files(SOURCE))
      for (const [, key] of readFileSync(path, "utf8").matchAll(/\bt\(\[?"([a-zA-Z]+\.[\w.]+)"/g))
        if (key && !french.has(key) && !french.has(`${key}_other`)) missing.push(`${path}: ${key}`);
    expect(missing).toEqual([]);
  });
});

test("no component holds bare text", { timeout: 60_000 }, () => {
  const bare: string[] = [];
  for (const path of files(SOURCE).filter((name) => name.endsWith(".tsx"))) {
    const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
    const visit = (node: ts.Node): void => {
      if (ts.isJsxText(node) && /\p{L}/u.test(node.text)) bare.push(`${path}: ${node.text.trim()}`);
      if (ts.isJsxAttribute(node) && /^(label|title|hint|alt|legend|aria-label|description)$/.test(node.name.getText()) && node.initializer && ts.isStringLiteral(node.initializer))
        bare.push(`${path}: ${node.getText()}`);
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  expect(bare).toEqual([]);
});

test("the language is the one kept, else the browser's, else English", () => {
  expect(firstLanguage("fr", ["en-GB"])).toBe("fr");
  expect(firstLanguage(null, ["de-DE", "fr-CA", "en"])).toBe("fr");
  expect(firstLanguage(null, ["de-DE"])).toBe("en");
});

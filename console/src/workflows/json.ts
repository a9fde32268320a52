/**
 * JSON in a text box, where plain words are words: `Hello {{ name }}` is a text, `{"a": 1}` an object, `5` a number, `"5"` the text 5.
 * Pure.
 */

export interface ReadJson {
  value: unknown;
  /** It begins as an object or a list and is none. */
  broken: boolean;
}

export function readJson(text: string): ReadJson {
  const bare = text.trim();
  if (bare === "") return { value: null, broken: false };
  try {
    return { value: JSON.parse(bare) as unknown, broken: false };
  } catch {
    return { value: text, broken: /^(?:\[|\{(?![{%]))/.test(bare) };
  }
}

/** The text that reads back as the value: words as they are, unless they would be read as something else. */
export function showJson(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return JSON.stringify(value, null, 2);
  const { value: read, broken } = readJson(value);
  return read === value && !broken ? value : JSON.stringify(value);
}

export function pretty(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
}

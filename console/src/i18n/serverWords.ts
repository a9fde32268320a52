/**
 * The server writes its reasons in English. Those that a person meets every day are said in the console's language; the others
 * are shown as they came.
 */
import type { Translate } from ".";

const KNOWN: readonly [RegExp, string][] = [
  [/^already a destination, which keeps its description$/, "known"],
  [/^the same number as line (\d+), which is kept$/, "sameLine"],
  [/^read as (\+\d+)$/, "readAs"],
  [/^phone: shortened by a spreadsheet/, "shortened"],
  [/^phone: written as a decimal number/, "decimal"],
  [/^phone: empty/, "empty"],
  [/^phone: a formula/, "formula"],
  [/^phone: not only digits/, "notDigits"],
  [/^phone: neither international/, "noCountry"],
  [/^phone: (?:too short|not a number that exists|too long|.*check the digits)/, "noNumber"],
  [/^description: (\d+) characters/, "longDescription"],
  [/is on the active agent (.+)$/, "takenNumber"],
  [/^not a number that exists/, "noNumber"],
  [/^is required$/i, "required"],
  [/^no answer to OPTIONS/, "noOptions"],
  [/^ended by the operator/, "byOperator"],
  [/^ended through the API/, "byOperator"],
  [/^the server is shutting down/, "shutDown"],
];

export function serverWords(t: Translate, words: string): string {
  for (const [pattern, key] of KNOWN) {
    const found = pattern.exec(words);
    if (found) return t(`server.${key}`, { value: found[1] });
  }
  return words;
}

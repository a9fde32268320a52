import { describe, expect, test } from "vitest";
import { serverWords } from "@/i18n/serverWords";
import i18n from "@/i18n";
import type { TimelineEvent } from "@/api/types";
import { withKnown } from "@/actions/imported";
import { formatPath, getAt, parsePath, setAt } from "@/form/paths";
import { filterOf } from "@/calls/filter";
import { median, turnsOf } from "@/calls/latency";
import { spaced, split, toE164 } from "./numbers";

describe("numbers", () => {
  test.each([
    ["06 12 34 56 78", "FR", "+33612345678"],
    ["+33 6 12 34 56 78", "GB", "+33612345678"],
    ["0033612345678", "US", "+33612345678"],
    ["020 7946 0000", "GB", "+442079460000"],
    ["06 1234 5678", "IT", "+390612345678"],
    ["abc", "FR", null],
    ["", "FR", null],
  ])("%s in %s is %s", (typed, country, phone) => {
    expect(toE164(typed, country)).toBe(phone);
  });

  test("are split into country and national part, and shown with spaces", () => {
    expect(split("+33612345678", "FR")).toEqual({ country: "FR", national: "0612345678" });
    expect(split("+12025550123", "CA").country).toBe("CA");
    expect(spaced("+33612345678")).toBe("+33 6 12 34 56 78");
    expect(spaced("accueil")).toBe("accueil");
  });
});

test("an import counts what the unsaved list has already as duplicates", () => {
  const row = { line: 2, value: "x", outcome: "accepted" as const, phone: "+33612345678", description: "", reason: "" };
  const destination = { phone: "+33612345678", extension: null, description: "" };
  const answer = { saved_revision: null, accepted: 1, duplicate: 0, refused: 0, separator: ";", encoding: "UTF-8", ignored_columns: [], rows: [row], destinations: [destination] };
  expect(withKnown(answer, [destination])).toMatchObject({ accepted: 0, duplicate: 1, destinations: [], rows: [{ known: true }] });
  expect(withKnown(answer, [])).toMatchObject({ accepted: 1, destinations: [destination] });
});

test("what the server says every day is said in the console's language, the rest as it came", () => {
  const t = i18n.getFixedT("fr");
  expect(serverWords(t, "phone: shortened by a spreadsheet, its last digits are lost: format the column")).toMatch(/^Abrégé par un tableur/);
  expect(serverWords(t, "the same number as line 4, which is kept")).toMatch(/ligne 4/);
  expect(serverWords(t, "something new")).toBe("something new");
});

test("places in a document are read and written as the API writes them", () => {
  const path = parsePath("actions[1].schedule.ranges[0].end");
  expect(path).toEqual(["actions", 1, "schedule", "ranges", 0, "end"]);
  expect(formatPath(path)).toBe("actions[1].schedule.ranges[0].end");
  const document = { a: [{ b: 1 }, { b: 2 }], c: {} };
  const changed = setAt(document, ["a", 1, "b"], 3);
  expect(getAt(changed, ["a", 1, "b"])).toBe(3);
  expect(changed.a[0]).toBe(document.a[0]);
  expect(document.a[1]?.b).toBe(2);
});

test("days of the filter run from midnight to the midnight after", () => {
  const { since, until } = filterOf(new URLSearchParams("since=2026-03-28&until=2026-03-28"));
  expect(new Date(since ?? "").getHours()).toBe(0);
  expect(new Date(until ?? "").getDate()).toBe(29);
  expect(filterOf(new URLSearchParams("since=hier"))).toEqual({});
});

test("turns are read out of the timeline", () => {
  const event = (total: number, number: number): TimelineEvent => ({ number, at_ms: 0, actor: "agent", kind: "latency", payload: { total_ms: total, llm_first_token_ms: 10 } });
  const turns = turnsOf([event(900, 1), event(700, 2), { ...event(1, 3), kind: "dtmf" }]);
  expect(turns.map((turn) => turn.total)).toEqual([900, 700]);
  expect(median([900, 700])).toBe(800);
});

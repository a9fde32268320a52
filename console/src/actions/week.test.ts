import { describe, expect, test } from "vitest";
import type { TimeRange } from "@/agent/schema";
import { readClock } from "./AddRange";
import { copied, draggedTo, hoursAWeek, joined, openOn, outside, rangesOf, replaced, weekOf, withRange } from "./week";

const range = (start: string, end: string, ...days: TimeRange["days"]): TimeRange => ({ days, start, end });

describe("the week", () => {
  test("joins ranges that overlap or touch, and keeps others apart", () => {
    const ranges = [range("14:00", "17:00", "monday"), range("09:00", "12:00", "monday"), range("12:00", "12:30", "monday"), range("09:00", "24:00", "friday")];
    expect(openOn(ranges, "monday")).toEqual([{ start: 540, end: 750 }, { start: 840, end: 1020 }]);
    expect(openOn(ranges, "friday")).toEqual([{ start: 540, end: 1440 }]);
    expect(openOn(ranges, "sunday")).toEqual([]);
    expect(hoursAWeek(ranges)).toBe(21.5);
  });

  test("outside is all that inside is not", () => {
    expect(outside([{ start: 540, end: 750 }])).toEqual([{ start: 0, end: 540 }, { start: 750, end: 1440 }]);
    expect(outside([])).toEqual([{ start: 0, end: 1440 }]);
    expect(outside([{ start: 0, end: 1440 }])).toEqual([]);
  });

  test("the same hours on other days are one range, in the week's order", () => {
    const ranges = withRange([range("09:00", "12:00", "friday")], range("09:00", "12:00", "monday", "friday"));
    expect(ranges).toEqual([range("09:00", "12:00", "monday", "friday")]);
    expect(withRange(ranges, range("14:00", "17:00", "monday"))).toHaveLength(2);
  });

  test.each([["9", "09:00"], ["9h30", "09:30"], ["0930", "09:30"], ["24:00", "24:00"], ["midi", "midi"]])("reads %s as %s", (typed, clock) => {
    expect(readClock(typed)).toBe(clock);
  });
});

describe("the week as it is drawn", () => {
  const nine = { start: 540, end: 720 };

  test("is the same ranges again, the same hours on several days as one", () => {
    const ranges = [range("09:00", "12:00", "monday", "friday"), range("14:00", "24:00", "friday")];
    expect(rangesOf(weekOf(ranges))).toEqual(ranges);
    expect(rangesOf(weekOf([range("14:00", "17:00", "sunday"), range("09:00", "12:00", "friday"), range("09:00", "12:00", "monday")]))).toEqual([range("09:00", "12:00", "monday", "friday"), range("14:00", "17:00", "sunday")]);
  });

  test.each([
    ["make", null, 541, 719, { start: 540, end: 720 }],
    ["make", null, 719, 541, { start: 540, end: 720 }],
    ["make", null, 600, 603, null],
    ["make", null, 1400, 2000, { start: 1395, end: 1440 }],
    ["start", nine, 540, 610, { start: 615, end: 720 }],
    ["start", nine, 540, 1440, { start: 705, end: 720 }],
    ["end", nine, 720, 0, { start: 540, end: 555 }],
    ["end", nine, 720, 9999, { start: 540, end: 1440 }],
    ["move", nine, 600, 1440, { start: 1260, end: 1440 }],
    ["move", nine, 600, 0, { start: 0, end: 180 }],
    ["move", nine, 600, 605, nine],
  ] as const)("%s of %o from %i to %i", (grip, span, from, to, wanted) => {
    expect(draggedTo(grip, span, from, to, 15)).toEqual(wanted);
  });

  test("a span goes to another day, and the rest stays", () => {
    const week = weekOf([range("09:00", "12:00", "monday", "tuesday")]);
    const next = replaced(week, "monday", nine, { day: "tuesday", span: { start: 600, end: 780 } });
    expect(next.monday).toEqual([]);
    expect(next.tuesday).toEqual([nine, { start: 600, end: 780 }]);
    expect(joined(next.tuesday)).toEqual([{ start: 540, end: 780 }]);
    expect(week.monday).toEqual([nine]);
  });

  test("a day is copied to those named only", () => {
    const week = copied(weekOf([range("09:00", "12:00", "monday"), range("10:00", "11:00", "tuesday", "sunday")]), "monday", ["tuesday"]);
    expect(rangesOf(week)).toEqual([range("09:00", "12:00", "monday", "tuesday"), range("10:00", "11:00", "sunday")]);
  });
});

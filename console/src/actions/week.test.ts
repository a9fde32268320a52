import { describe, expect, test } from "vitest";
import type { TimeRange } from "@/agent/schema";
import { readClock } from "./AddRange";
import { hoursAWeek, openOn, outside, withRange } from "./week";

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

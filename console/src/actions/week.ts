/** Opening hours of a week, as minutes. Pure. */
import { DAYS, type Day } from "@/agent/limits";
import type { TimeRange } from "@/agent/schema";

export const DAY_MINUTES = 24 * 60;

export interface Span {
  start: number;
  end: number;
}

export function minutes(clock: string): number {
  const [hours = 0, rest = 0] = clock.split(":").map(Number);
  return hours * 60 + rest;
}

/** Hours of one day in order, those that overlap or touch made one. */
export function openOn(ranges: readonly TimeRange[], day: Day): Span[] {
  const spans = ranges
    .filter((range) => range.days.includes(day) && range.start < range.end)
    .map((range) => ({ start: minutes(range.start), end: minutes(range.end) }))
    .sort((one, other) => one.start - other.start);
  const joined: Span[] = [];
  for (const span of spans) {
    const last = joined.at(-1);
    if (last && span.start <= last.end) last.end = Math.max(last.end, span.end);
    else joined.push({ ...span });
  }
  return joined;
}

/** What is not in the spans. */
export function outside(spans: readonly Span[]): Span[] {
  const bounds = [0, ...spans.flatMap((span) => [span.start, span.end]), DAY_MINUTES];
  const found: Span[] = [];
  for (let index = 0; index < bounds.length; index += 2) {
    const [start = 0, end = 0] = bounds.slice(index, index + 2);
    if (start < end) found.push({ start, end });
  }
  return found;
}

/** The ranges with another one, put together with one of the same hours. Days in the week's order. */
export function withRange(ranges: readonly TimeRange[], added: TimeRange): TimeRange[] {
  const same = ranges.findIndex((range) => range.start === added.start && range.end === added.end);
  if (same < 0) return [...ranges, { ...added, days: inOrder(added.days) }];
  return ranges.map((range, index) => (index === same ? { ...range, days: inOrder([...range.days, ...added.days]) } : range));
}

function inOrder(days: readonly Day[]): Day[] {
  return DAYS.filter((day) => days.includes(day));
}

/** Hours per week that are open. */
export function hoursAWeek(ranges: readonly TimeRange[]): number {
  return DAYS.flatMap((day) => openOn(ranges, day)).reduce((sum, span) => sum + span.end - span.start, 0) / 60;
}

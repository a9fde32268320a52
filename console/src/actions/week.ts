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

/** Minutes since midnight as 09:30; the end of the day is 24:00. */
export function clock(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}

export const shownSpan = (span: Span): string => `${clock(span.start)}–${clock(span.end)}`;

/** In order, those that overlap or touch made one. */
export function joined(spans: readonly Span[]): Span[] {
  const found: Span[] = [];
  for (const span of spans.toSorted((one, other) => one.start - other.start)) {
    const last = found.at(-1);
    if (last && span.start <= last.end) last.end = Math.max(last.end, span.end);
    else found.push({ ...span });
  }
  return found;
}

/** Hours of one day. */
export function openOn(ranges: readonly TimeRange[], day: Day): Span[] {
  return joined(ranges.filter((range) => range.days.includes(day) && range.start < range.end).map((range) => ({ start: minutes(range.start), end: minutes(range.end) })));
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

/** The hours of every day. */
export type Week = Readonly<Record<Day, readonly Span[]>>;

export function weekOf(ranges: readonly TimeRange[]): Week {
  return Object.fromEntries(DAYS.map((day) => [day, openOn(ranges, day)])) as unknown as Week;
}

/** The same hours as ranges: those that several days share are one, the earliest first. */
export function rangesOf(week: Week): TimeRange[] {
  const days = new Map<string, Day[]>();
  for (const day of DAYS)
    for (const span of week[day]) {
      const hours = `${clock(span.start)} ${clock(span.end)}`;
      days.set(hours, [...(days.get(hours) ?? []), day]);
    }
  return [...days].sort(([one], [other]) => one.localeCompare(other)).map(([hours, on]) => ({ days: on, start: hours.slice(0, 5), end: hours.slice(6) }));
}

/** A part of a day that is held: nothing yet, one of its ends, or all of it. */
export type Grip = "make" | "start" | "end" | "move";

/** What a span becomes when it is taken at one minute and let go at another, in steps of so many minutes; null when nothing is left of it. */
export function draggedTo(grip: Grip, span: Span | null, from: number, to: number, step: number): Span | null {
  const near = Math.min(DAY_MINUTES, Math.max(0, Math.round(to / step) * step));
  if (grip === "make" || !span) {
    const first = Math.round(from / step) * step;
    return near === first ? null : { start: Math.min(first, near), end: Math.max(first, near) };
  }
  if (grip === "start") return { start: Math.max(0, Math.min(near, span.end - step)), end: span.end };
  if (grip === "end") return { start: span.start, end: Math.min(DAY_MINUTES, Math.max(near, span.start + step)) };
  const length = span.end - span.start;
  const start = Math.min(DAY_MINUTES - length, Math.max(0, span.start + Math.round((to - from) / step) * step));
  return { start, end: start + length };
}

/** The week without one span of a day, and with another one. Overlaps stay as they are: see `joined`. */
export function replaced(week: Week, day: Day, span: Span | null, by: { day: Day; span: Span } | null): Week {
  const rest = { ...week, [day]: week[day].filter((other) => !span || other.start !== span.start || other.end !== span.end) } as Record<Day, readonly Span[]>;
  if (by) rest[by.day] = [...rest[by.day], by.span].toSorted((one, other) => one.start - other.start);
  return rest;
}

/** The hours of one day on others too, in place of theirs. */
export function copied(week: Week, from: Day, to: readonly Day[]): Week {
  return Object.fromEntries(DAYS.map((day) => [day, to.includes(day) ? week[from] : week[day]])) as unknown as Week;
}

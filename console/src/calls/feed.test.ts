import { describe, expect, test } from "vitest";
import type { TimelineEvent } from "@/api/types";
import { feed, NOTHING_YET, type Feed, type FeedChange } from "./feed";

const happened = (number: number, kind: TimelineEvent["kind"] = "transcript"): FeedChange => ({ type: "happened", event: { number, at_ms: number * 100, actor: "agent", kind, payload: { number } } });
const after = (...changes: FeedChange[]): Feed => changes.reduce(feed, NOTHING_YET);
const numbers = (state: Feed) => state.events.map((event) => event.number);

describe("what happens in a call", () => {
  test("is in order, however it comes", () => {
    expect(numbers(after(happened(3), happened(1), happened(2), happened(5), happened(4)))).toEqual([1, 2, 3, 4, 5]);
  });

  test("counts once when it is told again after a reconnection", () => {
    const before = after({ type: "opened" }, happened(1), happened(2), { type: "lost" }, { type: "opened" });
    expect(feed(before, happened(1))).toBe(before);
    expect(numbers([happened(1), happened(2), happened(3)].reduce(feed, before))).toEqual([1, 2, 3]);
  });

  test("stays over: a connection that closes afterwards is no loss", () => {
    const over = after({ type: "opened" }, happened(1), { type: "ended", end: { status: "completed" } });
    expect(over).toMatchObject({ state: "over", end: { status: "completed" } });
    for (const change of [{ type: "lost" }, { type: "opened" }, { type: "refused", problem: { type: "", title: "", status: 404, detail: "" } }] as FeedChange[]) expect(feed(over, change)).toBe(over);
  });

  test("keeps what was told while the connection is lost, and when the server refuses", () => {
    const lost = after({ type: "opened" }, happened(1), { type: "lost" });
    expect(lost).toMatchObject({ state: "lost" });
    expect(numbers(lost)).toEqual([1]);
    const refused = feed(lost, { type: "refused", problem: { type: "", title: "", status: 404, detail: "gone" } });
    expect(refused).toMatchObject({ state: "refused", problem: { detail: "gone" } });
    expect(numbers(refused)).toEqual([1]);
  });

  test("a connection that is back takes the loss away", () => {
    expect(after({ type: "lost" }, { type: "opened" })).toMatchObject({ state: "open", problem: null });
  });
});

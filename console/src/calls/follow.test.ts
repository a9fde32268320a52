import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { frameReader, QUIET_MS } from "@/api/stream";
import { feed, NOTHING_YET, type Feed } from "./feed";
import { follow } from "./follow";

describe("frames", () => {
  test("come out whole from pieces of any size, with any line end", () => {
    const text = ': alive\n\nid: 1\nevent: timeline\ndata: {"a":\r\ndata: 1}\r\n\r\nevent: end\rdata:{}\r\rid: 9\ndata: half';
    for (const size of [1, 2, 3, 7, text.length]) {
      const read = frameReader();
      const frames = [];
      for (let at = 0; at < text.length; at += size) frames.push(...read(text.slice(at, at + size)));
      expect(frames).toEqual([
        { id: "1", event: "timeline", data: '{"a":\n1}' },
        { id: "1", event: "end", data: "{}" },
      ]);
    }
  });
});

/** Answers in order, as a server would give them; the last one again and again. */
class Server {
  readonly asked: (string | null)[] = [];
  private readonly answers: (() => Promise<Response>)[];
  constructor(...answers: (() => Promise<Response>)[]) {
    this.answers = answers;
    vi.stubGlobal("fetch", (_url: string, options: RequestInit) => {
      this.asked.push(new Headers(options.headers).get("Last-Event-ID"));
      const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
      return answer ? this.stopped(answer(), options.signal) : Promise.reject(new Error("nothing to answer"));
    });
  }
  private stopped(answer: Promise<Response>, signal: AbortSignal | null | undefined): Promise<Response> {
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
      answer.then(resolve, reject);
    });
  }
}

const event = (number: number) => `id: ${number}\nevent: timeline\ndata: {"number":${number},"at_ms":${number},"actor":"agent","kind":"dtmf","payload":{}}\n\n`;
const END = 'event: end\ndata: {"status":"completed"}\n\n';
const says = (...pieces: string[]) => () => Promise.resolve(new Response(pieces.join(""), { headers: { "Content-Type": "text/event-stream" } }));
const refuses = (status: number) => () => Promise.resolve(new Response(JSON.stringify({ type: "about:blank", title: "", detail: `status ${status}` }), { status }));
const breaks = () => Promise.reject(new TypeError("network"));

async function followed(server: Server, milliseconds = 60_000): Promise<{ state: Feed; asked: (string | null)[]; done: boolean }> {
  let state = NOTHING_YET;
  let done = false;
  const leaving = new AbortController();
  void follow("/calls/x/events", (change) => (state = feed(state, change)), leaving.signal).then(() => (done = true));
  await vi.advanceTimersByTimeAsync(milliseconds);
  const found = { state, asked: [...server.asked], done };
  leaving.abort();
  return found;
}

describe("following", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test("goes on after the last event that came, and ends with the call", async () => {
    const { state, asked, done } = await followed(new Server(says(event(1), event(2)), breaks, says(event(2), event(3), END)));
    expect(state.events.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(state).toMatchObject({ state: "over", end: { status: "completed" } });
    expect(asked).toEqual([null, "2", "2"]);
    expect(done).toBe(true);
  });

  test("a server in trouble is asked again, less and less often", async () => {
    const { state, asked } = await followed(new Server(refuses(503)), 20_000);
    expect(state.state).toBe("lost");
    expect(asked.length).toBeGreaterThan(3);
    expect(asked.length).toBeLessThan(9);
  });

  test("a call that is gone, or not for this person, is not asked for again", async () => {
    for (const status of [401, 403, 404]) {
      const { state, asked, done } = await followed(new Server(refuses(status)));
      expect(state).toMatchObject({ state: "refused", problem: { status } });
      expect(asked).toHaveLength(1);
      expect(done).toBe(true);
    }
  });

  test("a frame that is no JSON is passed over", async () => {
    const { state } = await followed(new Server(says("event: timeline\ndata: {oh\n\n", event(1), END)));
    expect(state).toMatchObject({ state: "over" });
    expect(state.events).toHaveLength(1);
  });

  test("a connection without a sign of life is given up and asked again", async () => {
    const silent = () => new Promise<Response>(() => undefined);
    const { state, asked } = await followed(new Server(silent, says(event(1), END)), QUIET_MS + 2000);
    expect(asked).toHaveLength(2);
    expect(state.state).toBe("over");
  });

  test("whoever leaves is told nothing more", async () => {
    new Server(breaks);
    const told = vi.fn();
    const leaving = new AbortController();
    const following = follow("/calls/x/events", told, leaving.signal);
    leaving.abort();
    await following;
    expect(told).not.toHaveBeenCalled();
  });
});

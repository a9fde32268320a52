/** Follows a call or a chat until it is over, through connections that break. */
import { Problem } from "@/api/problem";
import { listen, type Frame } from "@/api/stream";
import type { TimelineEvent } from "@/api/types";
import type { FeedChange } from "./feed";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8000;

/** Ends when it is over, when the server refuses for good, or with the signal. */
export async function follow(path: string, tell: (change: FeedChange) => void, signal: AbortSignal): Promise<void> {
  let after = "";
  let over = false;
  let pause = FIRST_PAUSE_MS;
  const onOpen = () => tell({ type: "opened" });
  function onFrame({ id, event, data }: Frame) {
    pause = FIRST_PAUSE_MS;
    const told = object(data);
    if (!told || signal.aborted) return;
    if (event === "timeline") {
      after = id || after;
      tell({ type: "happened", event: told as unknown as TimelineEvent });
    } else if (event === "end") {
      over = true;
      tell({ type: "ended", end: told });
    }
  }
  while (!signal.aborted) {
    try {
      await listen(path, { after, signal, onOpen, onFrame });
    } catch (error) {
      if (error instanceof Problem && refusal(error)) {
        if (!signal.aborted) tell({ type: "refused", problem: error.body });
        return;
      }
    }
    if (over || signal.aborted) return;
    tell({ type: "lost" });
    await rest(pause, signal);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

/** Gone, or not for this person; too many requests and a server in trouble are asked again. */
function refusal({ status }: Problem): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

function object(data: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}

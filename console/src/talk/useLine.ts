import { useEffect, useState } from "react";
import type { Line } from "./line";

export type LineState = "steady" | "shaky" | "lost";

/** How the sound's way to the server stands. */
export function useLineState(line: Line | null): LineState {
  const [state, setState] = useState<LineState>("steady");
  useEffect(() => {
    if (!line) return;
    const { peer } = line;
    const look = () => setState(peer.connectionState === "failed" ? "lost" : peer.connectionState === "disconnected" ? "shaky" : "steady");
    peer.addEventListener("connectionstatechange", look);
    return () => peer.removeEventListener("connectionstatechange", look);
  }, [line]);
  return state;
}

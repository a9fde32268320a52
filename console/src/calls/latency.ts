/** How long each turn took, out of the timeline. */
import type { TimelineEvent } from "@/api/types";

export const PARTS = ["end_of_turn_ms", "llm_first_token_ms", "tts_first_audio_ms"] as const;
export type Part = (typeof PARTS)[number];

export interface Turn {
  number: number;
  parts: Record<Part, number>;
  total: number;
}

export function turnsOf(events: readonly TimelineEvent[]): Turn[] {
  return events
    .filter((event) => event.kind === "latency")
    .map((event, index) => {
      const read = (name: string) => (typeof event.payload[name] === "number" ? event.payload[name] : 0);
      const parts = { end_of_turn_ms: read("end_of_turn_ms"), llm_first_token_ms: read("llm_first_token_ms"), tts_first_audio_ms: read("tts_first_audio_ms") };
      const sum = parts.end_of_turn_ms + parts.llm_first_token_ms + parts.tts_first_audio_ms;
      return { number: index + 1, parts, total: read("total_ms") || sum };
    });
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

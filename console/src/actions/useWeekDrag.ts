import { useEffect, useState, type PointerEvent } from "react";
import { DAYS, type Day } from "@/agent/limits";
import { DAY_MINUTES, draggedTo, type Grip, type Span } from "./week";

/** Minutes that a drag goes in: fewer where the screen gives them room. */
const FINE = 15;
const COARSE = 30;
const FINE_WIDTH_PX = 380;

export interface Held {
  grip: Grip;
  day: Day;
  /** What was taken; null for a new one. */
  span: Span | null;
  from: number;
  /** Where it would be if it were let go now. */
  now: { day: Day; span: Span } | null;
}

interface Ends {
  /** Let go somewhere else than it was taken. */
  onDrop: (held: Held) => void;
  /** Taken and let go at the same place. */
  onTap: (day: Day, span: Span) => void;
}

const trackOf = (node: Element) => node.closest<HTMLElement>("[data-track]");

function minuteAt(track: HTMLElement, x: number): number {
  const box = track.getBoundingClientRect();
  return Math.min(DAY_MINUTES, Math.max(0, ((x - box.left) / box.width) * DAY_MINUTES));
}

/** The day whose bar is at this height. */
function dayAt(track: HTMLElement, y: number): Day {
  const tracks = [...(track.closest("[data-week]")?.querySelectorAll<HTMLElement>("[data-track]") ?? [])];
  const away = (item: HTMLElement) => Math.abs(item.getBoundingClientRect().top + item.offsetHeight / 2 - y);
  const near = tracks.toSorted((one, other) => away(one) - away(other))[0] ?? track;
  return near.dataset["track"] as Day;
}

/** Drags with the mouse, a pen or a finger on the bars of a week. */
export function useWeekDrag({ onDrop, onTap }: Ends) {
  const [held, setHeld] = useState<Held | null>(null);
  const holding = held !== null;

  useEffect(() => {
    if (!holding) return;
    const giveUp = (event: KeyboardEvent) => event.key === "Escape" && setHeld(null);
    addEventListener("keydown", giveUp);
    return () => removeEventListener("keydown", giveUp);
  }, [holding]);

  function take(event: PointerEvent<HTMLElement>) {
    const track = trackOf(event.target as Element);
    if (!track || event.button !== 0) return;
    const block = (event.target as Element).closest<HTMLElement>("[data-start]");
    const span = block && { start: Number(block.dataset["start"]), end: Number(block.dataset["end"]) };
    const grip = (event.target as HTMLElement).dataset["grip"] as Grip | undefined;
    track.setPointerCapture(event.pointerId);
    setHeld({ grip: span ? (grip ?? "move") : "make", day: track.dataset["track"] as Day, span, from: minuteAt(track, event.clientX), now: null });
  }

  function drag(event: PointerEvent<HTMLElement>) {
    const track = trackOf(event.target as Element);
    if (!held || !track) return;
    const step = track.offsetWidth < FINE_WIDTH_PX ? COARSE : FINE;
    const span = draggedTo(held.grip, held.span, held.from, minuteAt(track, event.clientX), step);
    const day = held.grip === "move" ? dayAt(track, event.clientY) : held.day;
    const still = held.span && span && span.start === held.span.start && span.end === held.span.end && day === held.day;
    setHeld({ ...held, now: span && !still && DAYS.includes(day) ? { day, span } : null });
  }

  function letGo() {
    setHeld(null);
    if (!held) return;
    if (held.now) onDrop(held);
    else if (held.span) onTap(held.day, held.span);
  }

  return { held, handlers: { onPointerDown: take, onPointerMove: drag, onPointerUp: letGo, onPointerCancel: () => setHeld(null) } };
}

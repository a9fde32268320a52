import type { KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";
import type { Day } from "@/agent/limits";
import { classes } from "@/ui/classes";
import { DAY_MINUTES, draggedTo, shownSpan, type Span } from "./week";

/** Minutes that an arrow key goes. */
const KEY_STEP = 15;

interface WeekBarProps {
  day: Day;
  /** What is drawn on the bar and can be changed. */
  spans: readonly Span[];
  /** Where the transfer is allowed, when that is not where the spans are. */
  allowed: readonly Span[] | null;
  /** The start of the span that is chosen. */
  chosen: number | null;
  /** The span that is being dragged. */
  held: Span | null;
  /** The id of the words that say how a span is changed. */
  help: string;
  readOnly: boolean;
  onChoose: (span: Span) => void;
  onMove: (span: Span, to: Span) => void;
  onRemove: (span: Span) => void;
}

const place = (span: Span) => ({ left: `${(span.start / DAY_MINUTES) * 100}%`, width: `${((span.end - span.start) / DAY_MINUTES) * 100}%` });

/** One day from midnight to midnight. */
export function WeekBar({ day, spans, allowed, chosen, held, help, readOnly, onChoose, onMove, onRemove }: WeekBarProps) {
  const { t } = useTranslation();

  function onKey(event: KeyboardEvent, span: Span) {
    const way = event.key === "ArrowRight" ? KEY_STEP : event.key === "ArrowLeft" ? -KEY_STEP : 0;
    const to = way ? (event.shiftKey ? draggedTo("end", span, 0, span.end + way, KEY_STEP) : draggedTo("move", span, 0, way, KEY_STEP)) : null;
    if (to) onMove(span, to);
    else if (event.key === "Delete" || event.key === "Backspace") onRemove(span);
    else return;
    event.preventDefault();
  }

  return (
    <div
      data-track={day}
      className={classes("relative col-span-3 h-9 overflow-hidden rounded-md bg-sunken sm:col-span-1 sm:col-start-2 sm:row-start-1 sm:h-8", !readOnly && "cursor-crosshair touch-pan-y")}
      style={{ backgroundImage: "linear-gradient(90deg, var(--color-line) 1px, transparent 1px)", backgroundSize: `${100 / 8}% 100%` }}
    >
      {allowed?.map((span) => <span key={span.start} aria-hidden className="pointer-events-none absolute inset-y-0.5 rounded bg-plum" style={place(span)} />)}
      {spans.map((span, index) => (
        <button
          key={index}
          type="button"
          disabled={readOnly}
          data-start={span.start}
          data-end={span.end}
          aria-label={t("schedule.block", { day: t(`days.${day}`), range: shownSpan(span) })}
          aria-pressed={span.start === chosen}
          aria-describedby={readOnly ? undefined : help}
          onClick={(event) => event.detail === 0 && onChoose(span)}
          onKeyDown={(event) => onKey(event, span)}
          className={classes(
            "@container absolute inset-y-0.5 min-w-1.5 rounded focus-visible:-outline-offset-2",
            allowed ? "border-2 border-dashed border-line-strong bg-raised text-ink focus-visible:outline-brand" : "bg-brand text-white focus-visible:outline-lamp",
            !readOnly && (held && held.start === span.start && held.end === span.end ? "z-10 cursor-grabbing opacity-85" : "cursor-grab"),
            span.start === chosen && "ring-2 ring-lamp ring-inset",
          )}
          style={place(span)}
        >
          <span aria-hidden className="numbers pointer-events-none hidden truncate text-xs @min-[5rem]:block">{shownSpan(span)}</span>
          {!readOnly && (["start", "end"] as const).map((end) => <span key={end} aria-hidden data-grip={end} className={classes("absolute inset-y-0 w-[min(0.8rem,30%)] cursor-ew-resize", end === "start" ? "-left-0.5" : "-right-0.5")} />)}
        </button>
      ))}
    </div>
  );
}

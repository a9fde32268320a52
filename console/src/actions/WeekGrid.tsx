import { Copy, Trash2 } from "lucide-react";
import { useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { DAYS, MAX_RANGES, type Day } from "@/agent/limits";
import type { TimeRange } from "@/agent/schema";
import { Button, IconButton } from "@/ui/Button";
import { CopyDayDialog } from "./CopyDayDialog";
import { useWeekDrag, type Held } from "./useWeekDrag";
import { copied, joined, outside, rangesOf, replaced, shownSpan, weekOf, type Span, type Week } from "./week";
import { WeekBar } from "./WeekBar";

const HOURS = [0, 6, 12, 18, 24];
const ROW = "grid grid-cols-[auto_1fr_auto] items-center gap-x-3 gap-y-1 text-sm sm:grid-cols-[5.5rem_1fr_12.5rem_2.25rem]";

interface WeekGridProps {
  ranges: readonly TimeRange[];
  mode: "inside" | "outside";
  readOnly?: boolean;
  onChange: (ranges: TimeRange[]) => void;
}

/** The week as bars, one a day: lit where the transfer is allowed. Hours are drawn on them, moved, made longer and taken away. */
export function WeekGrid({ ranges, mode, readOnly = false, onChange }: WeekGridProps) {
  const { t } = useTranslation();
  const help = useId();
  const root = useRef<HTMLDivElement>(null);
  const [chosen, setChosen] = useState<{ day: Day; start: number } | null>(null);
  const [said, setSaid] = useState("");
  const [copying, setCopying] = useState<Day | null>(null);
  const week = weekOf(ranges);
  const { held, handlers } = useWeekDrag({ onDrop: drop, onTap: (day, span) => setChosen({ day, start: span.start }) });
  const shown = held?.now ? replaced(week, held.day, held.span, held.now) : week;
  const selected = chosen && week[chosen.day].find((span) => span.start === chosen.start);

  /** True when the ranges of this week are few enough to be kept. */
  function keep(next: Week, words = ""): boolean {
    const made = rangesOf(next);
    const full = made.length > MAX_RANGES;
    setSaid(full ? t("schedule.tooMany", { max: MAX_RANGES }) : words);
    if (!full) onChange(made);
    return !full;
  }

  function drop({ day, span, now }: Held) {
    if (!now) return;
    const next = replaced(week, day, span, now);
    const whole = joined(next[now.day]);
    const holder = whole.find((other) => other.start <= now.span.start && other.end >= now.span.end) ?? now.span;
    const met = whole.length < next[now.day].length;
    if (keep({ ...next, [now.day]: whole }, met ? t("schedule.joined", { day: t(`days.${now.day}`), range: shownSpan(holder) }) : "")) setChosen({ day: now.day, start: holder.start });
  }

  /** With keys a range stops at the next one: it would be too easy to lose one of the two. */
  function move(day: Day, span: Span, to: Span) {
    const next = replaced(week, day, span, { day, span: to });
    if (joined(next[day]).length < next[day].length) return setSaid(t("schedule.stopped"));
    if (!keep(next, `${t(`days.${day}`)} ${shownSpan(to)}`)) return;
    setChosen({ day, start: to.start });
  }

  function remove(day: Day, span: Span) {
    setChosen(null);
    keep(replaced(week, day, span, null), t("schedule.removed", { day: t(`days.${day}`), range: shownSpan(span) }));
    root.current?.querySelector<HTMLElement>(`[data-copy="${day}"]`)?.focus();
  }

  return (
    <div className="grid gap-3">
      {!readOnly && <p id={help} className="text-sm text-ink-soft">{t("schedule.dragHint")}</p>}
      {/* The bars take the pointer; each range on them is a button with keys of its own. */}
      <div ref={root} data-week className="grid gap-2 select-none sm:gap-1.5" role="group" aria-label={t("schedule.week")} {...(readOnly ? {} : handlers)}>
        {DAYS.map((day) => {
          const allowed = mode === "inside" ? joined(shown[day]) : outside(joined(shown[day]));
          return (
            <div key={day} className={ROW}>
              <span className="font-semibold">{t(`days.${day}`)}</span>
              <WeekBar
                day={day}
                spans={shown[day]}
                allowed={mode === "outside" ? allowed : null}
                chosen={chosen?.day === day ? chosen.start : null}
                held={held?.now?.day === day ? held.now.span : null}
                help={help}
                readOnly={readOnly}
                onChoose={(span) => setChosen({ day, start: span.start })}
                onMove={(span, to) => move(day, span, to)}
                onRemove={(span) => remove(day, span)}
              />
              <span className="numbers col-start-2 row-start-1 text-right text-ink-soft sm:col-start-3 sm:text-left">{allowed.length ? allowed.map(shownSpan).join(", ") : t("schedule.closed")}</span>
              {!readOnly && <IconButton icon={Copy} data-copy={day} label={t("schedule.copyDay", { day: t(`days.${day}`) })} onClick={() => setCopying(day)} className="col-start-3 row-start-1 sm:col-start-4" />}
            </div>
          );
        })}
        <div aria-hidden className={`${ROW} numbers text-xs text-ink-faint`}>
          <span className="col-span-3 flex justify-between sm:col-span-1 sm:col-start-2">
            {HOURS.map((hour) => (
              <span key={hour}>{`${String(hour).padStart(2, "0")}:00`}</span>
            ))}
          </span>
        </div>
      </div>
      {!readOnly && selected && (
        <div className="flex flex-wrap items-center justify-between gap-3 rounded-control bg-brand-wash px-3 py-1.5">
          <span className="numbers font-semibold">{`${t(`days.${chosen.day}`)} ${shownSpan(selected)}`}</span>
          <Button small icon={Trash2} onClick={() => remove(chosen.day, selected)}>
            {t("schedule.removeSpan")}
          </Button>
        </div>
      )}
      <p role="status" className={said ? "text-sm text-ink-soft" : "sr-only"}>{said}</p>
      {copying && (
        <CopyDayDialog
          day={copying}
          hours={week[copying]}
          onCopy={(days) => {
            if (keep(copied(week, copying, days))) setCopying(null);
          }}
          onClose={() => setCopying(null)}
        />
      )}
    </div>
  );
}

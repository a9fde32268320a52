import { useTranslation } from "react-i18next";
import { DAYS } from "@/agent/limits";
import type { TimeRange } from "@/agent/schema";
import { DAY_MINUTES, openOn, outside, type Span } from "./week";

const HOURS = [0, 6, 12, 18, 24];

function clock(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}

/** The week at a glance: a bar a day, lit where the transfer is allowed. */
export function WeekGrid({ ranges, mode }: { ranges: readonly TimeRange[]; mode: "inside" | "outside" }) {
  const { t } = useTranslation();
  const allowed = (spans: Span[]) => (mode === "inside" ? spans : outside(spans));
  return (
    <div className="grid gap-1.5" role="group" aria-label={t("schedule.week")}>
      {DAYS.map((day) => {
        const spans = allowed(openOn(ranges, day));
        const words = spans.length ? spans.map((span) => `${clock(span.start)}–${clock(span.end)}`).join(", ") : t("schedule.closed");
        return (
          <div key={day} className="grid grid-cols-[5.5rem_1fr] items-center gap-3 text-sm sm:grid-cols-[5.5rem_1fr_13rem]">
            <span className="font-semibold">{t(`days.${day}`)}</span>
            <span aria-hidden className="relative h-6 overflow-hidden rounded-md bg-sunken" style={{ backgroundImage: "linear-gradient(90deg, var(--color-line) 1px, transparent 1px)", backgroundSize: `${100 / 8}% 100%` }}>
              {spans.map((span) => (
                <span
                  key={span.start}
                  className={`absolute inset-y-0.5 rounded ${mode === "inside" ? "bg-brand" : "bg-plum"}`}
                  style={{ left: `${(span.start / DAY_MINUTES) * 100}%`, width: `${((span.end - span.start) / DAY_MINUTES) * 100}%` }}
                />
              ))}
            </span>
            <span className="numbers col-start-2 text-ink-soft sm:col-start-3">{words}</span>
          </div>
        );
      })}
      <div aria-hidden className="numbers grid grid-cols-[5.5rem_1fr] gap-3 text-xs text-ink-faint sm:grid-cols-[5.5rem_1fr_13rem]">
        <span />
        <span className="flex justify-between">
          {HOURS.map((hour) => (
            <span key={hour}>{`${String(hour).padStart(2, "0")}:00`}</span>
          ))}
        </span>
      </div>
    </div>
  );
}

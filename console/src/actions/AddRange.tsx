import { Plus } from "lucide-react";
import { useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";
import type { Day } from "@/agent/limits";
import type { TimeRange } from "@/agent/schema";
import { Button } from "@/ui/Button";
import { FieldError } from "@/ui/Field";
import { TextInput } from "@/ui/Inputs";
import { DayChecks } from "./DayChecks";

const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$|^24:00$/;
const WORK_DAYS: Day[] = ["monday", "tuesday", "wednesday", "thursday", "friday"];

/** "9", "9h30", "0930" and "9:30" as 09:30. */
export function readClock(typed: string): string {
  const found = /^\s*(\d{1,2})\s*(?:[:hH.]?\s*(\d{2})?)\s*$/.exec(typed);
  if (!found) return typed.trim();
  return `${(found[1] ?? "").padStart(2, "0")}:${found[2] ?? "00"}`;
}

/** Days and hours, added as one more range; the same days can be added again with other hours. */
export function AddRange({ onAdd, full }: { onAdd: (range: TimeRange) => void; full: boolean }) {
  const { t } = useTranslation();
  const [days, setDays] = useState<readonly Day[]>(WORK_DAYS);
  const [start, setStart] = useState("09:00");
  const [end, setEnd] = useState("17:00");
  const [error, setError] = useState<string>();

  function add(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    event.stopPropagation();
    const from = readClock(start);
    const until = readClock(end);
    setStart(from);
    setEnd(until);
    if (!CLOCK.test(from) || !CLOCK.test(until) || from === "24:00") return setError(t("errors.clock"));
    if (from >= until) return setError(t("errors.rangeOrder"));
    if (days.length === 0) return setError(t("errors.noDay"));
    setError(undefined);
    onAdd({ days: [...days], start: from, end: until });
  }

  return (
    <form noValidate onSubmit={add} className="grid gap-4 rounded-control bg-surface p-4 ring-1 ring-line">
      <DayChecks legend={t("schedule.days")} days={days} onChange={setDays} />
      <fieldset className="grid gap-2">
        <legend className="mb-1.5 text-sm font-semibold">{t("schedule.hours")}</legend>
        <div className="flex flex-wrap items-end gap-3">
          <div className="w-28">
            <TextInput label={t("fields.start")} value={start} onChange={setStart} onBlur={() => setStart(readClock(start))} placeholder="09:00" />
          </div>
          <div className="w-28">
            <TextInput label={t("fields.end")} value={end} onChange={setEnd} onBlur={() => setEnd(readClock(end))} placeholder="17:00" />
          </div>
          <Button type="submit" icon={Plus} disabled={full}>
            {t("ui.add")}
          </Button>
        </div>
      </fieldset>
      <p className="text-sm text-ink-soft">{t("schedule.addHint")}</p>
      {error && <FieldError text={error} />}
    </form>
  );
}

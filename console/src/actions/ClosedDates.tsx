import { CalendarPlus, X } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { MAX_CLOSED_DATES } from "@/agent/limits";
import { useField } from "@/form/FormContext";
import { Button } from "@/ui/Button";
import { TextInput } from "@/ui/Inputs";
import { useFormats } from "@/ui/useFormats";

/** Days that are shut from midnight to midnight. */
export function ClosedDates() {
  const { t } = useTranslation();
  const { day } = useFormats();
  const dates = useField<string[]>("schedule", "closed_dates");
  const [typed, setTyped] = useState("");
  return (
    <div className="grid gap-3">
      <div className="grid gap-0.5">
        <p className="text-sm font-semibold">{t("fields.closed_dates")}</p>
        <p className="text-sm text-ink-soft">{t("schedule.closedHint")}</p>
      </div>
      {dates.value.length > 0 && (
        <ul className="flex flex-wrap gap-2">
          {dates.value.map((date) => (
            <li key={date} className="inline-flex items-center gap-1 rounded-full bg-plum-wash py-0.5 pr-0.5 pl-3 text-sm text-plum">
              {day(date)}
              <button type="button" aria-label={t("schedule.removeDate", { date: day(date) })} disabled={dates.readOnly} onClick={() => dates.set(dates.value.filter((other) => other !== date))} className="grid size-7 place-items-center rounded-full hover:bg-white/60">
                <X aria-hidden className="size-4" />
              </button>
            </li>
          ))}
        </ul>
      )}
      {!dates.readOnly && (
        <div className="flex flex-wrap items-end gap-3">
          <div className="w-44">
            <TextInput label={t("schedule.newDate")} type="date" value={typed} onChange={setTyped} />
          </div>
          <Button
            icon={CalendarPlus}
            disabled={!typed || dates.value.length >= MAX_CLOSED_DATES}
            onClick={() => {
              dates.set([...new Set([...dates.value, typed])].sort());
              setTyped("");
            }}
          >
            {t("schedule.addDate")}
          </Button>
        </div>
      )}
    </div>
  );
}

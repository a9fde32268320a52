import { useTranslation } from "react-i18next";
import { DAYS, type Day } from "@/agent/limits";

interface DayChecksProps {
  legend: string;
  days: readonly Day[];
  offered?: readonly Day[];
  onChange: (days: Day[]) => void;
}

/** Days of the week to tick. */
export function DayChecks({ legend, days, offered = DAYS, onChange }: DayChecksProps) {
  const { t } = useTranslation();
  return (
    <fieldset className="grid gap-2">
      <legend className="mb-1.5 text-sm font-semibold">{legend}</legend>
      <div className="flex flex-wrap gap-2">
        {offered.map((day) => (
          <label key={day} className="inline-flex min-h-9 cursor-pointer items-center gap-2 rounded-full border border-line-strong bg-raised px-3 text-sm has-checked:border-brand has-checked:bg-brand-wash has-checked:font-semibold has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-brand">
            <input type="checkbox" className="size-4 accent-brand" checked={days.includes(day)} onChange={(event) => onChange(event.target.checked ? [...days, day] : days.filter((other) => other !== day))} />
            {t(`days.${day}`)}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

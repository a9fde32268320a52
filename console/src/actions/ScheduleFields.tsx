import { Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { MAX_RANGES } from "@/agent/limits";
import type { Schedule } from "@/agent/schema";
import { PartError, SwitchField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { IconButton } from "@/ui/Button";
import { Section } from "@/ui/Layouts";
import { RadioCards } from "@/ui/RadioCards";
import { AddRange } from "./AddRange";
import { ClosedDates } from "./ClosedDates";
import { WeekGrid } from "./WeekGrid";
import { withRange } from "./week";

/** When the transfer is allowed. */
export function ScheduleFields() {
  const { t } = useTranslation();
  const schedule = useField<Schedule>("schedule");
  const { ranges, mode, enabled } = schedule.value;
  return (
    <Section title={t("schedule.title")} hint={t("schedule.hint")}>
      <SwitchField at={["schedule", "enabled"]} label={t("schedule.enable")} />
      {enabled && (
        <>
          <RadioCards
            legend={t("fields.mode")}
            columns="two"
            value={mode}
            onChange={(value) => schedule.set({ ...schedule.value, mode: value as Schedule["mode"] })}
            disabled={schedule.readOnly}
            cards={[
              { value: "inside", label: t("values.inside"), hint: t("schedule.insideHint") },
              { value: "outside", label: t("values.outside"), hint: t("schedule.outsideHint") },
            ]}
          />
          <WeekGrid ranges={ranges} mode={mode} readOnly={schedule.readOnly} onChange={(next) => schedule.set({ ...schedule.value, ranges: next })} />
          {ranges.length > 0 && (
            <ul className="divide-y divide-line rounded-control ring-1 ring-line" aria-label={t("fields.ranges")}>
              {ranges.map((range, index) => (
                <li key={`${range.start}-${range.end}-${range.days.join()}`} className="flex flex-wrap items-center gap-x-4 px-3 py-1">
                  <span className="numbers font-semibold">{`${range.start} – ${range.end}`}</span>
                  <span className="flex-1 text-sm text-ink-soft">{range.days.map((day) => t(`days.${day}`)).join(", ")}</span>
                  <IconButton
                    icon={Trash2}
                    label={t("schedule.removeRange", { range: `${range.start} – ${range.end}` })}
                    disabled={schedule.readOnly}
                    onClick={() => schedule.set({ ...schedule.value, ranges: ranges.toSpliced(index, 1) })}
                  />
                </li>
              ))}
            </ul>
          )}
          <PartError at={["schedule", "ranges"]} />
          {!schedule.readOnly && <AddRange onAdd={(range) => schedule.set({ ...schedule.value, ranges: withRange(ranges, range) })} full={ranges.length >= MAX_RANGES} />}
          <ClosedDates />
        </>
      )}
    </Section>
  );
}

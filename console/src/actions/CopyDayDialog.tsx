import { useState } from "react";
import { useTranslation } from "react-i18next";
import { DAYS, type Day } from "@/agent/limits";
import { Button } from "@/ui/Button";
import { DayChecks } from "./DayChecks";
import { Dialog } from "@/ui/Dialog";
import { shownSpan, type Span } from "./week";

interface CopyDayDialogProps {
  day: Day;
  hours: readonly Span[];
  onCopy: (days: Day[]) => void;
  onClose: () => void;
}

/** The hours of one day on others, whose own go. */
export function CopyDayDialog({ day, hours, onCopy, onClose }: CopyDayDialogProps) {
  const { t } = useTranslation();
  const [days, setDays] = useState<readonly Day[]>([]);
  const others = DAYS.filter((other) => other !== day);
  return (
    <Dialog
      title={t("schedule.copyDay", { day: t(`days.${day}`) })}
      description={t("schedule.copyHint", { hours: hours.length ? hours.map(shownSpan).join(", ") : t("schedule.closed") })}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t("ui.cancel")}</Button>
          <Button look="primary" disabled={days.length === 0} onClick={() => onCopy([...days])}>
            {t("schedule.copy")}
          </Button>
        </>
      }
    >
      <div className="grid gap-3 py-1">
        <DayChecks legend={t("schedule.copyTo")} days={days} offered={others} onChange={setDays} />
        <div className="flex flex-wrap gap-2">
          <Button small look="quiet" onClick={() => setDays(others.filter((other) => other !== "saturday" && other !== "sunday"))}>
            {t("schedule.workDays")}
          </Button>
          <Button small look="quiet" onClick={() => setDays(others)}>
            {t("schedule.everyDay")}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

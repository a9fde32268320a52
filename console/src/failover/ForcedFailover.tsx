import { Construction } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useAgentEditor } from "@/agents/editor";
import { useField } from "@/form/FormContext";
import { Button } from "@/ui/Button";
import { FieldError } from "@/ui/Field";
import { TextInput } from "@/ui/Inputs";
import { Notice, Section } from "@/ui/Layouts";
import { useFormats } from "@/ui/useFormats";

/** A local date and time, as an input of that type holds it. */
export function localInput(moment: Date): string {
  const shifted = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

/** Planned maintenance: every call fails over until a given time, without the pre-call workflow being asked. */
export function ForcedFailover() {
  const { t } = useTranslation();
  const { dateTime } = useFormats();
  const { failover } = useAgentEditor();
  const until = useField<string | null>("failover", "forced_until");
  const [typed, setTyped] = useState("");
  const [error, setError] = useState<string>();
  const [now] = useState(() => Date.now());
  const running = until.value !== null && Date.parse(until.value) > now;

  function force(end: Date) {
    if (Number.isNaN(end.getTime()) || end.getTime() <= Date.now()) return setError(t("failover.forcedPast"));
    setError(undefined);
    until.set(end.toISOString());
  }

  return (
    <Section title={t("failover.forced")} hint={t("failover.forcedHint")}>
      {until.value !== null && (
        <Notice
          tone={running ? "warn" : "calm"}
          icon={Construction}
          title={t(running ? "failover.forcedUntil" : "failover.forcedOver", { time: dateTime(until.value) })}
          actions={
            <Button small disabled={until.readOnly} onClick={() => until.set(null)}>
              {t("failover.forcedStop")}
            </Button>
          }
        >
          {running && !failover.draft.failover.enabled && t("failover.forcedOff")}
        </Notice>
      )}
      {!until.readOnly && (
        <div className="flex flex-wrap items-end gap-3">
          <div className="w-60">
            <TextInput label={t("failover.forcedEnd")} type="datetime-local" value={typed} onChange={setTyped} />
          </div>
          <Button disabled={!typed} onClick={() => force(new Date(typed))}>
            {t("failover.forcedSet")}
          </Button>
          {[1, 4].map((hours) => (
            <Button key={hours} look="quiet" onClick={() => force(new Date(Date.now() + hours * 3_600_000))}>
              {t("failover.forcedFor", { count: hours })}
            </Button>
          ))}
        </div>
      )}
      {(error ?? until.error) && <FieldError text={error ?? until.error ?? ""} />}
    </Section>
  );
}

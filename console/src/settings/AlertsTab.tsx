import { useMutation } from "@tanstack/react-query";
import { BellRing, CircleAlert, CircleCheck } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/session";
import { testAlert } from "@/api/settings";
import { TextField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { serverWords } from "@/i18n/serverWords";
import { Button } from "@/ui/Button";
import { Notice, Section } from "@/ui/Layouts";
import { useShowError } from "@/ui/useToasts";
import { useStoredSettings } from "./useSettingsState";

/** Who is told when calls fail, and whether that works. */
export function AlertsTab() {
  const { t } = useTranslation();
  return (
    <Section title={t("settings.alerts")} hint={t("settings.alertsHint")}>
      <TextField at="alert_url" label={t("fields.alert_url")} nullable type="url" maxLength={2000} placeholder="https://example.net/hooks/parlons" hint={t("settings.alertUrlHint")} />
      <div className="grid gap-1.5 text-sm">
        <p className="font-semibold">{t("settings.alertWhen.title")}</p>
        <ul className="list-disc space-y-1 pl-5">
          {(["calls", "trunk", "over"] as const).map((key) => (
            <li key={key}>{t(`settings.alertWhen.${key}`)}</li>
          ))}
        </ul>
      </div>
      <TestAlert />
    </Section>
  );
}

/** Rings the address as it is saved: what calls would use. */
function TestAlert() {
  const { t } = useTranslation();
  const showError = useShowError();
  const admin = useMay("admin");
  const saved = useStoredSettings().document.alert_url;
  const field = useField<string | null>("alert_url");
  const testing = useMutation({ mutationFn: testAlert, onError: showError });
  const changed = field.value !== saved;
  const answer = changed ? undefined : testing.data;
  if (!admin) return null;
  return (
    <>
      <div className="flex flex-wrap items-center gap-3">
        <Button icon={BellRing} busy={testing.isPending} disabled={!saved || changed} onClick={() => testing.mutate()}>
          {t("settings.testAlert")}
        </Button>
        {(changed || !saved) && <p className="text-sm text-ink-soft">{t(changed ? "settings.testAfterSave" : "settings.testNeedsUrl")}</p>}
      </div>
      {testing.isPending && <p role="status">{t("settings.testingAlert")}</p>}
      {answer && (
        <div role="status">
          <Notice tone={answer.ok ? "calm" : "alarm"} icon={answer.ok ? CircleCheck : CircleAlert} title={t(answer.ok ? "settings.alertTaken" : "settings.alertNotTaken")}>
            {answer.ok ? t("settings.alertTakenHint", { answer: answer.detail }) : [answer.detail, answer.hint].filter(Boolean).map((words) => serverWords(t, words)).join(" ")}
          </Notice>
        </div>
      )}
    </>
  );
}

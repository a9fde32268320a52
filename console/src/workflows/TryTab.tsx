import { FlaskConical, Play } from "lucide-react";
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/ui/Button";
import { EmptyState, Notice, Section } from "@/ui/Layouts";
import { useWorkflowEditor } from "./editor";
import { RunView } from "./RunView";
import { SampleForm, type TellBroken } from "./SampleForm";
import { useElapsed } from "./useElapsed";

/** The workflow as it is on the page, stored or not, run with sample data. */
export function TryTab() {
  const { t } = useTranslation();
  const { draft, dirty, readOnly, trying } = useWorkflowEditor();
  const seconds = useElapsed(trying.running);
  const [broken, setBroken] = useState<ReadonlySet<string>>(() => new Set());
  const tellBroken = useCallback<TellBroken>((part, is) => setBroken((all) => (all.has(part) === is ? all : is ? new Set(all).add(part) : new Set([...all].filter((other) => other !== part)))), []);
  return (
    <div className="grid items-start gap-6 lg:grid-cols-[22rem_minmax(0,1fr)]">
      <Section title={t("workflows.sample")} hint={t("workflows.sampleHint")}>
        <SampleForm onBroken={tellBroken} />
        <Notice tone="warn">{t("workflows.reallySent")}</Notice>
        {dirty && <p className="text-sm text-ink-soft">{t("workflows.triesUnsaved")}</p>}
        <Button look="primary" icon={Play} busy={trying.running} disabled={readOnly || broken.size > 0} onClick={trying.start}>
          {t("workflows.try")}
        </Button>
      </Section>
      <div className="grid min-w-0 gap-6">
        <p role="status" className="sr-only">
          {trying.running ? t("workflows.running") : trying.run ? t(`workflows.runStatus.${trying.run.status}`) : ""}
        </p>
        {trying.running ? (
          <Notice tone="calm" title={t("workflows.running")}>
            {t("workflows.runningFor", { seconds })}
          </Notice>
        ) : trying.run ? (
          <RunView run={trying.run} trigger={draft.trigger} tried />
        ) : (
          <EmptyState icon={FlaskConical} title={t("workflows.notTried")} hint={t("workflows.notTriedHint")} />
        )}
      </div>
    </div>
  );
}

import { CircleAlert, CircleCheck, TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { RunFailure, WorkflowRun } from "@/api/types";
import { Lamp } from "@/ui/Lamp";
import { Notice, Section } from "@/ui/Layouts";
import { useFormats } from "@/ui/useFormats";
import { Json } from "./Json";
import type { Trigger } from "./document";
import { explain } from "./explain";
import { runLamp } from "./kinds";
import { RunSteps } from "./RunSteps";
import { milliseconds, sentence } from "./words";

/** One run: how it ended, why, what each step did, what came of it. */
export function RunView({ run, trigger, tried }: { run: WorkflowRun; trigger: Trigger; tried?: boolean }) {
  const { t } = useTranslation();
  const { number } = useFormats();
  return (
    <>
      {run.status === "ok" ? (
        run.problem ? (
          <Notice tone="alarm" icon={TriangleAlert} title={t("workflows.unusable")}>
            <p>{t(`workflows.unusableHint.${trigger}`)}</p>
            <Said words={run.problem} />
          </Notice>
        ) : (
          <Notice tone="calm" icon={CircleCheck} title={t("workflows.ended", { time: milliseconds(number, run.duration_ms) })}>
            {t(tried ? `workflows.usable.${trigger}` : "workflows.endedHint")}
          </Notice>
        )
      ) : (
        run.error && <Failure failure={run.error} run={run} />
      )}
      <Section title={t("workflows.whatHappened")} hint={t("workflows.redacted")} aside={<Lamp state={runLamp(run.status)} label={`${t(`workflows.runStatus.${run.status}`)} · ${milliseconds(number, run.duration_ms)}`} />}>
        <RunSteps run={run} />
      </Section>
      {run.status === "ok" && (
        <Section title={t("workflows.result")} hint={t(`workflows.resultHint.${trigger}`)}>
          {run.result === null ? <p className="text-ink-soft">{t("workflows.noResult")}</p> : <Json value={run.result} label={t("workflows.result")} />}
          {Object.keys(run.context).length > 0 && (
            <div className="grid gap-1.5">
              <h3 className="text-sm font-semibold">{t("workflows.setVariables")}</h3>
              <Json value={run.context} label={t("workflows.setVariables")} />
            </div>
          )}
        </Section>
      )}
    </>
  );
}

function Failure({ failure, run }: { failure: RunFailure; run: WorkflowRun }) {
  const { t } = useTranslation();
  const { code, mend, status } = explain(failure, run.steps);
  const why = t(`workflows.failure.${code}`, { status });
  const ofStep = failure.step !== "" && run.steps.some(({ id, type }) => id === failure.step && type !== "webhook");
  return (
    <Notice tone="alarm" icon={CircleAlert} title={ofStep ? t("workflows.failedAt", { step: failure.step, why }) : sentence(why)}>
      <p>{t(`workflows.mend.${mend}`, { example: '{{ name | default: "" }}' })}</p>
      <Said words={failure.message} />
    </Notice>
  );
}

/** The server's own words, for whoever mends it. */
function Said({ words }: { words: string }) {
  return <code className="mt-1.5 block text-xs break-words text-ink-soft">{words}</code>;
}

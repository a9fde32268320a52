import { useTranslation } from "react-i18next";
import type { RunStep, WorkflowRun } from "@/api/types";
import { classes } from "@/ui/classes";
import { useFormats } from "@/ui/useFormats";
import type { StepType } from "./document";
import { explain } from "./explain";
import { Json } from "./Json";
import { STEP_ICONS, STEP_TINTS } from "./kinds";
import { requestOf } from "./request";
import { milliseconds, sentence } from "./words";

/** The steps that ran, in time. */
export function RunSteps({ run }: { run: WorkflowRun }) {
  const { t } = useTranslation();
  if (run.steps.length === 0) return <p className="text-ink-soft">{t("workflows.noStepRan")}</p>;
  return (
    <ol className="grid gap-3">
      {run.steps.map((step, index) => (
        <Step key={index} step={step} run={run} />
      ))}
    </ol>
  );
}

function Step({ step, run }: { step: RunStep; run: WorkflowRun }) {
  const { t } = useTranslation();
  const { number } = useFormats();
  const type = (step.type in STEP_ICONS ? step.type : "http") as StepType | "webhook";
  const Icon = STEP_ICONS[type];
  const request = requestOf(step.request);
  const failure = step.error && explain(step.error, run.steps);
  const whole = Math.max(run.duration_ms, 1);
  return (
    <li className={classes("grid gap-2 rounded-card border bg-surface p-3 sm:p-4", failure ? "border-alarm/50" : "border-line")}>
      <div className="flex items-center gap-3">
        <span className={classes("grid size-8 shrink-0 place-items-center rounded-md", STEP_TINTS[type])}>
          <Icon aria-hidden className="size-4" />
        </span>
        <div className="min-w-0 flex-1">
          <p className="flex flex-wrap items-baseline gap-x-2">
            <span className="font-semibold">{t(`workflows.step.${type}`)}</span>
            {step.type !== "webhook" && <code className="text-xs break-all text-ink-soft">{step.id}</code>}
          </p>
          <div aria-hidden className="mt-1 h-1 rounded-full bg-sunken">
            <div
              className={classes("h-1 min-w-0.5 rounded-full", failure ? "bg-alarm" : "bg-brand")}
              style={{ marginLeft: `${Math.min(99, (step.started_ms / whole) * 100)}%`, width: `${Math.min(100 - Math.min(99, (step.started_ms / whole) * 100), (step.duration_ms / whole) * 100)}%` }}
            />
          </div>
        </div>
        <span className="numbers text-sm whitespace-nowrap text-ink-soft">{milliseconds(number, step.duration_ms)}</span>
      </div>
      {failure && step.error && <p className="text-sm font-medium text-alarm">{sentence(t(`workflows.failure.${failure.code}`, { status: failure.status }))}</p>}
      {request ? (
        <Exchange title={t("workflows.request")} line={`${request.method} ${request.url}`} headers={request.headers} rest={request.query} body={request.body} />
      ) : (
        step.request !== null && <Json value={step.request} label={t("workflows.request")} />
      )}
      {step.reply !== null && <Reply step={step} />}
    </li>
  );
}

function Reply({ step }: { step: RunStep }) {
  const { t } = useTranslation();
  const { reply } = step;
  if (typeof reply !== "object" || reply === null || !("status" in reply) || !("headers" in reply)) return <Json value={reply} label={t("workflows.made")} />;
  const { status, headers, body } = reply as { status: number; headers: Record<string, string>; body?: unknown };
  return <Exchange title={t("workflows.reply")} line={t("workflows.replyStatus", { status })} headers={headers} body={body ?? null} />;
}

interface ExchangeProps {
  title: string;
  line: string;
  headers: Record<string, unknown>;
  /** Parameters of the address. */
  rest?: Record<string, unknown>;
  body: unknown;
}

function Exchange({ title, line, headers, rest, body }: ExchangeProps) {
  const { t } = useTranslation();
  const rows = [...Object.entries(rest ?? {}).map(([name, value]) => [`?${name}`, value] as const), ...Object.entries(headers)];
  return (
    <div className="grid gap-1.5">
      <p className="text-sm">
        <span className="font-semibold">{title}</span>
        <code className="ml-2 text-xs [overflow-wrap:anywhere]">{line}</code>
      </p>
      {rows.length > 0 && (
        <details className="text-sm">
          <summary className="w-fit text-ink-soft">{t("workflows.headerCount", { count: rows.length })}</summary>
          <dl className="mt-1.5 grid gap-x-4 gap-y-0.5 font-mono text-xs sm:grid-cols-[minmax(8rem,auto)_1fr]">
            {rows.map(([name, value]) => (
              <div key={name} className="contents">
                <dt className="text-ink-soft [overflow-wrap:anywhere]">{name}</dt>
                <dd className="mb-1 [overflow-wrap:anywhere] sm:mb-0">{String(value)}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
      {body !== null && body !== "" && <Json value={body} label={`${title} – ${t("fields.body")}`} />}
    </div>
  );
}

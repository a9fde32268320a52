import { ChevronDown, CircleCheck, CircleX, Play, PlayCircle, ShieldOff, Square, TriangleAlert, type LucideIcon } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useAgentEditor } from "@/agents/editor";
import { FAILOVER_TRIGGERS, type FailoverDestination, type FailoverTrigger } from "@/api/types";
import { Button } from "@/ui/Button";
import { SelectInput } from "@/ui/Inputs";
import { Notice, Section } from "@/ui/Layouts";
import { classes } from "@/ui/classes";
import { spaced } from "@/phone/numbers";
import type { Translate } from "@/i18n";
import { TriedCall } from "./TriedCall";
import { noWayOut, outdated, verdict, whyFailed, type Failed, type Tone, type Try } from "./tries";
import { useTries } from "./useTries";

const DESTINATIONS: readonly FailoverDestination[] = ["answered", "busy", "no_answer", "unreachable"];
const VERDICTS: Record<Tone, { icon: LucideIcon; look: string }> = {
  good: { icon: CircleCheck, look: "text-live" },
  fallback: { icon: TriangleAlert, look: "text-amber-ink" },
  bad: { icon: CircleX, look: "text-alarm" },
};

/** Every trigger, and what a caller gets then: the code that calls run, with a caller who is recorded. */
export function TryPanel({ installationOn }: { installationOn: boolean | undefined }) {
  const { t } = useTranslation();
  const { failover, readOnly } = useAgentEditor();
  const trying = useTries();
  const [open, setOpen] = useState<FailoverTrigger | null>(null);
  const [played, setPlayed] = useState<FailoverTrigger | null>(null);
  const [destination, setDestination] = useState<FailoverDestination>("answered");
  const { enabled, action } = failover.draft.failover;
  const rings = enabled && action !== null && action.type !== "message";

  async function one(trigger: FailoverTrigger) {
    const done = await trying.run([trigger], destination);
    setPlayed(done);
    if (done) setOpen(done);
  }

  if (readOnly) return null;
  return (
    <div id="try" className="scroll-mt-32">
      <Section
        title={t("failover.try.title")}
        hint={t("failover.try.hint")}
        aside={
          trying.current !== null ? (
            <Button icon={Square} onClick={trying.stop}>
              {t("failover.try.stop")}
            </Button>
          ) : (
            <Button
              icon={PlayCircle}
              onClick={() => {
                setPlayed(null);
                void trying.run(FAILOVER_TRIGGERS, destination);
              }}
            >
              {t("failover.try.all")}
            </Button>
          )
        }
      >
        <div className="grid gap-3 empty:hidden">
          {failover.dirty && (
            <Notice tone="warn" icon={TriangleAlert}>
              {t("failover.try.unsaved")}
            </Notice>
          )}
          {!enabled && (
            <Notice tone="info" icon={ShieldOff}>
              {t("failover.try.off")}
            </Notice>
          )}
          {enabled && installationOn === false && (
            <Notice tone="warn" icon={ShieldOff}>
              {t("failover.try.installationOff")}
            </Notice>
          )}
          {enabled && action?.type === "workflow" && (
            <Notice tone="warn" icon={TriangleAlert}>
              {t("failover.try.workflowRuns")}
            </Notice>
          )}
        </div>
        {rings && (
          <div className="max-w-md">
            <SelectInput
              label={t("failover.try.destination")}
              hint={t("failover.try.destinationHint")}
              value={destination}
              onChange={(value) => setDestination(value as FailoverDestination)}
              choices={DESTINATIONS.map((value) => ({ value, label: t(`failover.try.fate.${value}`) }))}
            />
          </div>
        )}
        <p role="status" className="sr-only">
          {trying.current && t("failover.try.running", { trigger: t(`failover.when.${trying.current}.title`) })}
        </p>
        {trying.progress && (
          <div className="grid gap-1.5">
            <progress className="h-2 w-full accent-brand" value={trying.progress.done} max={trying.progress.of} aria-label={t("failover.try.all")} />
            <span className="numbers text-sm text-ink-soft">{t("failover.try.progress", trying.progress)}</span>
          </div>
        )}
        <ol className="grid gap-2">
          {FAILOVER_TRIGGERS.map((trigger) => (
            <TriggerRow
              key={trigger}
              trigger={trigger}
              made={trying.tries[trigger]}
              stale={trying.tries[trigger] !== undefined && outdated(trying.tries[trigger], failover.draft, destination)}
              busy={trying.current === trigger}
              disabled={trying.current !== null}
              open={open === trigger}
              autoPlay={played === trigger}
              onTry={() => void one(trigger)}
              onToggle={() => {
                setPlayed(null);
                setOpen(open === trigger ? null : trigger);
              }}
            />
          ))}
        </ol>
      </Section>
    </div>
  );
}

interface TriggerRowProps {
  trigger: FailoverTrigger;
  made: Try | undefined;
  stale: boolean;
  busy: boolean;
  disabled: boolean;
  open: boolean;
  autoPlay: boolean;
  onTry: () => void;
  onToggle: () => void;
}

function TriggerRow({ trigger, made, stale, busy, disabled, open, autoPlay, onTry, onToggle }: TriggerRowProps) {
  const { t } = useTranslation();
  const title = t(`failover.when.${trigger}.title`);
  const details = `try-${trigger}`;
  return (
    <li className="rounded-control ring-1 ring-line">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-3 px-4 py-3">
        <div className="grid min-w-56 flex-1 gap-0.5">
          <h3 className="font-semibold">{title}</h3>
          <p className="text-sm text-ink-soft">{t(`failover.when.${trigger}.hint`)}</p>
          {made && <Verdict made={made} stale={stale} />}
        </div>
        <div className="flex flex-wrap gap-2">
          {made && (
            <Button small aria-expanded={open} aria-controls={details} onClick={onToggle}>
              {t(open ? "failover.try.hide" : "failover.try.show")}
              <ChevronDown aria-hidden className={classes("size-4 transition-transform", open && "rotate-180")} />
            </Button>
          )}
          <Button small icon={Play} busy={busy} disabled={disabled} aria-label={t(made ? "failover.try.oneAgain" : "failover.try.one", { trigger: title })} onClick={onTry}>
            {t(made ? "failover.try.again" : "failover.try.button")}
          </Button>
        </div>
      </div>
      {made && open && (
        <div id={details} className="border-t border-line bg-surface px-4 py-4">
          <TriedCall key={made.tried.audio_id} tried={made.tried} autoPlay={autoPlay} />
        </div>
      )}
    </li>
  );
}

function Verdict({ made, stale }: { made: Try; stale: boolean }) {
  const { t } = useTranslation();
  const { key, tone } = verdict(made.tried);
  const { icon: Icon, look } = VERDICTS[tone];
  const failed = whyFailed(made.tried);
  return (
    <p className={classes("mt-1 flex items-start gap-1.5 text-sm font-semibold", stale ? "text-ink-soft" : look)}>
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
      <span className="min-w-0 break-words">
        {t(`failover.try.verdict.${key}`, { seconds: Math.round(made.tried.seconds) })}
        {failed && <span className="font-normal">{` ${why(t, failed)}`}</span>}
        {stale && <span className="font-normal">{` ${t("failover.try.stale")}`}</span>}
      </span>
    </p>
  );
}

function why(t: Translate, failed: Failed): string {
  if (noWayOut(failed)) return t("failover.try.noWayOut");
  const whom = failed.whom.startsWith("+") ? spaced(failed.whom) : failed.whom;
  const rung = failed.outcome && t("failover.try.rung", { whom, outcome: t(`outcomes.${failed.outcome}`) });
  return t("failover.try.why", { why: [rung, failed.detail].filter(Boolean).join(", ") });
}

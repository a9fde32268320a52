import { ArrowRightLeft, Bot, CircleAlert, Disc, Gauge, Globe, Grip, PhoneForwarded, PhoneIncoming, PhoneOff, Repeat2, Split, Timer, Wrench, Zap, type LucideIcon } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { TimelineEvent } from "@/api/types";
import { classes } from "@/ui/classes";
import { clock, describe } from "./describe";

const ICONS: Record<string, LucideIcon> = {
  ringing: PhoneIncoming,
  answered: PhoneIncoming,
  pre_call: Wrench,
  failover: CircleAlert,
  agent: Bot,
  step_entered: Split,
  action_started: Zap,
  action_finished: Zap,
  dtmf: Grip,
  leg: PhoneForwarded,
  provider: ArrowRightLeft,
  silence_check: Timer,
  latency: Gauge,
  never_silent: Repeat2,
  variable_undefined: CircleAlert,
  recording: Disc,
  hang_up: PhoneOff,
};

interface TimelineProps {
  events: readonly TimelineEvent[];
  /** Where the recording is, in ms. */
  at: number | null;
  onSeek: ((ms: number) => void) | undefined;
  /** It goes on: what comes is read out, and how quick each answer was stands beside it. */
  live?: boolean;
}

/** The call as it went: words as bubbles, everything else as lines between them. */
export function Timeline({ events, at, onSeek, live = false }: TimelineProps) {
  const { t } = useTranslation();
  const shown = events.filter((event) => live || event.kind !== "latency");
  const current = at === null ? -1 : shown.findLastIndex((event) => event.at_ms <= at);
  if (shown.length === 0) return <p className="text-ink-soft">{t("calls.nothingYet")}</p>;
  return (
    <ol className="grid gap-2" aria-live={live ? "polite" : undefined}>
      {shown.map((event, index) => (
        <li key={event.number} className={classes("grid grid-cols-[3.4rem_1fr] items-start gap-2 rounded-control", index === current && "bg-amber-wash")}>
          <Moment ms={event.at_ms} onSeek={onSeek} />
          {event.kind === "transcript" ? <Words event={event} /> : <Happening event={event} />}
        </li>
      ))}
    </ol>
  );
}

function Moment({ ms, onSeek }: { ms: number; onSeek: ((ms: number) => void) | undefined }) {
  const { t } = useTranslation();
  const shown = clock(ms);
  if (!onSeek) return <span className="numbers pt-1.5 text-xs text-ink-faint">{shown}</span>;
  return (
    <button type="button" aria-label={t("calls.playFrom", { time: shown })} onClick={() => onSeek(ms)} className="numbers rounded-control pt-1.5 text-left text-xs text-brand-strong underline">
      {shown}
    </button>
  );
}

function Words({ event }: { event: TimelineEvent }) {
  const { t } = useTranslation();
  const agent = event.actor === "agent";
  return (
    <div className={classes("grid max-w-[92%] gap-0.5 rounded-card px-3.5 py-2", agent ? "justify-self-start rounded-tl-sm bg-brand-wash" : "justify-self-end rounded-tr-sm bg-sunken")}>
      <span className="text-xs font-semibold text-ink-soft">{t(`actors.${event.actor}`)}</span>
      <p className="break-words whitespace-pre-wrap">{String(event.payload["text"] ?? "")}</p>
      {event.payload["interrupted"] === true && <span className="text-xs text-ink-soft">{t("calls.interrupted")}</span>}
    </div>
  );
}

function Happening({ event }: { event: TimelineEvent }) {
  const { t } = useTranslation();
  const Icon = event.payload["event"] === "browser" ? Globe : (ICONS[event.kind] ?? Zap);
  const { title, detail } = describe(event, t);
  const bad = event.kind === "failover" || (event.kind === "provider" && event.payload["event"] === "failed");
  return (
    <div className={classes("flex items-start gap-2.5 py-1 text-sm", bad ? "text-alarm" : "text-ink-soft")}>
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
      <span className="min-w-0 break-words">
        <span className="font-semibold">{title}</span>
        {detail && <span>{` ${detail}`}</span>}
      </span>
    </div>
  );
}

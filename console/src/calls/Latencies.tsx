import { useTranslation } from "react-i18next";
import type { TimelineEvent } from "@/api/types";
import { Section } from "@/ui/Layouts";
import { useFormats } from "@/ui/useFormats";
import { median, PARTS, turnsOf, type Part } from "./latency";

const TONES: Record<Part, string> = { end_of_turn_ms: "bg-line-strong", llm_first_token_ms: "bg-brand", tts_first_audio_ms: "bg-lamp" };

/** A bar a turn: from the caller's last word to the agent's first sound, and where the time went. */
export function Latencies({ events }: { events: readonly TimelineEvent[] }) {
  const { t } = useTranslation();
  const { number } = useFormats();
  const turns = turnsOf(events);
  if (turns.length === 0) return null;
  const most = Math.max(...turns.map((turn) => turn.total), 1);
  return (
    <Section title={t("latency.title")} hint={t("latency.median", { ms: number(Math.round(median(turns.map((turn) => turn.total)))) })}>
      <ol className="grid gap-1.5">
        {turns.map((turn) => {
          const words = PARTS.map((part) => t(`latency.${part}`, { ms: number(turn.parts[part]) })).join(", ");
          return (
            <li key={turn.number} className="grid grid-cols-[1.5rem_1fr_4.5rem] items-center gap-2 text-sm" title={words}>
              <span className="numbers text-ink-faint">{turn.number}</span>
              <span aria-hidden className="flex h-3 overflow-hidden rounded-full bg-sunken">
                {PARTS.map((part) => (
                  <span key={part} className={TONES[part]} style={{ width: `${(turn.parts[part] / most) * 100}%` }} />
                ))}
              </span>
              <span className="numbers text-right">{`${number(turn.total)} ms`}</span>
              <span className="sr-only">{words}</span>
            </li>
          );
        })}
      </ol>
      <ul className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-ink-soft">
        {PARTS.map((part) => (
          <li key={part} className="inline-flex items-center gap-1.5">
            <span aria-hidden className={`size-2.5 rounded-sm ${TONES[part]}`} />
            {t(`latency.legend.${part}`)}
          </li>
        ))}
      </ul>
    </Section>
  );
}

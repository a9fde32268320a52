import { Link } from "react-router";
import { useTranslation } from "react-i18next";
import type { CallDetail, TimelineEvent } from "@/api/types";
import { spaced } from "@/phone/numbers";
import { Section } from "@/ui/Layouts";
import { useFormats } from "@/ui/useFormats";
import { endReason } from "./describe";

/** The call in a few lines, and the variables it ended with. */
export function CallFacts({ call, agentName, events }: { call: CallDetail; agentName: string | undefined; events: readonly TimelineEvent[] }) {
  const { t } = useTranslation();
  const { duration } = useFormats();
  const facts: [string, React.ReactNode][] = [
    [t("fields.direction"), t(`values.${call.direction}`)],
    [t("calls.caller"), call.anonymous ? t("calls.withheld") : spaced(call.caller)],
    [t("calls.called"), spaced(call.called)],
  ];
  if (call.agent_id)
    facts.push([
      t("calls.column.agent"),
      <Link key="agent" to={`/agents/${call.agent_id}`} className="font-semibold text-brand-strong underline">
        {agentName ?? call.agent_id}
      </Link>,
    ]);
  const browser = events.find(({ kind, payload }) => kind === "leg" && payload["event"] === "browser")?.payload;
  if (browser) facts.push([t("legEvents.browser"), String(browser["user"] ?? "")]);
  if (browser?.["draft"] === true) facts.push([t("calls.version"), t("calls.draftUsed")]);
  else if (call.agent_version !== null) facts.push([t("calls.version"), String(call.agent_version)]);
  if (call.answered_at && call.ended_at) facts.push([t("calls.column.length"), duration(Date.parse(call.ended_at) - Date.parse(call.answered_at))]);
  if (call.ended_by) facts.push([t("calls.endedBy"), t(`actors.${call.ended_by}`)]);
  if (call.end_reason) facts.push([t("calls.reason"), endReason(t, call.end_code, call.end_reason)]);
  const variables = Object.entries(call.context);
  return (
    <Section title={t("calls.facts")}>
      <dl className="grid gap-2.5 text-sm">
        {facts.map(([term, value]) => (
          <div key={term} className="flex flex-wrap justify-between gap-x-4">
            <dt className="text-ink-soft">{term}</dt>
            <dd className="numbers min-w-0 text-right break-words">{value}</dd>
          </div>
        ))}
      </dl>
      {variables.length > 0 && (
        <details>
          <summary className="text-sm font-semibold">{t("calls.variables", { count: variables.length })}</summary>
          <dl className="mt-3 grid gap-2 text-sm">
            {variables.map(([name, value]) => (
              <div key={name}>
                <dt>
                  <code className="text-ink-soft">{name}</code>
                </dt>
                <dd className="break-words whitespace-pre-wrap">{typeof value === "object" ? JSON.stringify(value, null, 1) : String(value)}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </Section>
  );
}

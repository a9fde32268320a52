import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { useTranslation } from "react-i18next";
import { liveCallsQuery } from "@/api/queries";
import { spaced } from "@/phone/numbers";
import { Lamp } from "@/ui/Lamp";
import { clock } from "./describe";
import { FromBrowser } from "./FromBrowser";
import { useNow } from "./useNow";

/** Calls under way, before all others; nothing when there are none. */
export function LiveCalls({ nameOf }: { nameOf: (id: string | null) => string }) {
  const { t } = useTranslation();
  const calls = useQuery(liveCallsQuery);
  const now = useNow();
  const items = calls.data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <section aria-label={t("calls.underWay", { count: items.length })} className="card mb-6 overflow-hidden border-[#e0b04c]">
      <h2 className="border-b border-line bg-amber-wash px-4 py-2.5">
        <Lamp state="changed" live label={t("calls.underWay", { count: items.length })} />
      </h2>
      <ul className="divide-y divide-line">
        {items.map((call) => {
          const other = call.direction === "inbound" ? call.caller : call.called;
          return (
            <li key={call.id} className="relative flex flex-wrap items-baseline gap-x-5 gap-y-0.5 px-4 py-3 transition-colors hover:bg-brand-wash/50">
              <Link to={`/calls/${call.id}`} className="numbers font-semibold after:absolute after:inset-0 hover:underline">
                {call.anonymous || !other ? t("calls.withheld") : spaced(other)}
              </Link>
              {call.from_browser && <FromBrowser />}
              <span className="text-sm">{nameOf(call.agent_id)}</span>
              <span className="text-sm text-ink-soft">{t(call.answered_at ? `values.${call.direction}` : "events.ringing")}</span>
              <span className="numbers ml-auto text-sm">{clock(Math.max(0, now - Date.parse(call.answered_at ?? call.started_at)))}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

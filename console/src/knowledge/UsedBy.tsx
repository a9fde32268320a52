import { useQuery } from "@tanstack/react-query";
import { Headset } from "lucide-react";
import { Link } from "react-router";
import { useTranslation } from "react-i18next";
import { listUses } from "@/api/knowledge";
import { Section } from "@/ui/Layouts";

/** The agents that answer from a data source. */
export function UsedBy({ id }: { id: string }) {
  const { t } = useTranslation();
  const uses = useQuery({ queryKey: ["data-sources", id, "uses"], queryFn: () => listUses(id) });
  if (!uses.data) return null;
  const agents = [...new Map(uses.data.filter((use) => use.kind === "agent").map((use) => [use.id, use])).values()];
  const live = new Set(uses.data.filter((use) => use.live).map((use) => use.id));
  return (
    <Section title={t("knowledge.uses")}>
      {agents.length === 0 ? (
        <p className="text-ink-soft">{t("knowledge.notUsed")}</p>
      ) : (
        <ul className="grid gap-2">
          {agents.map((agent) => (
            <li key={agent.id} className="flex flex-wrap items-center gap-x-3">
              <Link to={`/agents/${agent.id}/actions`} className="inline-flex items-center gap-2 font-semibold text-brand-strong hover:underline">
                <Headset aria-hidden className="size-4" />
                {agent.name}
              </Link>
              {!live.has(agent.id) && <span className="text-sm text-ink-soft">{t("knowledge.draftOnly")}</span>}
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

import { useQuery } from "@tanstack/react-query";
import { Headset, Plus, PhoneIncoming, PhoneOutgoing } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { Link } from "react-router";
import { useTranslation } from "react-i18next";
import { agentsQuery } from "@/api/queries";
import { useMay } from "@/api/session";
import type { AgentSummary } from "@/api/types";
import { countryOfLanguage, spaced } from "@/phone/numbers";
import { Button } from "@/ui/Button";
import { DataTable, type Column } from "@/ui/DataTable";
import { Lamp, type LampState } from "@/ui/Lamp";
import { EmptyState, PageHeader, Skeleton } from "@/ui/Layouts";
import { useFormats } from "@/ui/useFormats";
import { AgentMenu } from "./AgentMenu";
import { NewAgentDialog } from "./NewAgentDialog";

const TalkDrawer = lazy(async () => ({ default: (await import("@/talk/TalkDrawer")).TalkDrawer }));

function stateOf(agent: AgentSummary): { lamp: LampState; key: string } {
  if (agent.live_version === null) return { lamp: "waiting", key: "draft" };
  if (!agent.active) return { lamp: "off", key: "inactive" };
  return agent.unpublished ? { lamp: "changed", key: "changed" } : { lamp: "lit", key: "live" };
}

/** Every line of the switchboard: who answers it and how it stands. */
export function AgentListPage() {
  const { t, i18n } = useTranslation();
  const mayWrite = useMay("write");
  const agents = useQuery(agentsQuery);
  const { dateTime } = useFormats();
  const [making, setMaking] = useState(false);
  const [talking, setTalking] = useState<AgentSummary | null>(null);
  if (agents.error && !agents.data) throw agents.error;

  const columns: Column<AgentSummary>[] = [
    {
      key: "name",
      label: t("agents.column.name"),
      cell: (agent) => {
        const Icon = agent.direction === "inbound" ? PhoneIncoming : PhoneOutgoing;
        return (
          <span className="flex items-center gap-3 pr-16 md:pr-0">
            <span className="grid size-9 shrink-0 place-items-center rounded-full bg-brand-wash text-brand-strong" title={t(`values.${agent.direction}`)}>
              <Icon aria-label={t(`values.${agent.direction}`)} className="size-4" />
            </span>
            <Link to={`/agents/${agent.id}`} className="min-w-0 font-semibold break-words hover:underline">
              {agent.name}
            </Link>
          </span>
        );
      },
    },
    { key: "state", label: t("agents.column.state"), cell: (agent) => <Lamp state={stateOf(agent).lamp} label={t(`agents.state.${stateOf(agent).key}`)} /> },
    {
      key: "numbers",
      label: t("agents.column.numbers"),
      cell: (agent) => (
        <span className="numbers text-sm">
          {agent.phone_numbers.length === 0 ? <span className="text-ink-soft">{t("agents.noNumber")}</span> : agent.phone_numbers.slice(0, 2).map(spaced).join(", ")}
          {agent.phone_numbers.length > 2 && ` ${t("agents.moreNumbers", { count: agent.phone_numbers.length - 2 })}`}
        </span>
      ),
    },
    {
      key: "last",
      label: t("agents.column.lastCall"),
      cell: (agent) =>
        agent.last_call_at ? (
          <Link to={`/calls?agent_id=${agent.id}`} className="text-sm hover:underline">
            {dateTime(agent.last_call_at)}
          </Link>
        ) : (
          <span className="hidden text-sm text-ink-soft md:inline">{t("agents.noCall")}</span>
        ),
    },
    { key: "menu", label: t("ui.actions"), cell: (agent) => <AgentMenu agent={agent} onTalk={() => setTalking(agent)} /> },
  ];

  return (
    <>
      <PageHeader
        title={t("nav.agents")}
        hint={t("agents.hint")}
        actions={
          mayWrite && (
            <Button look="primary" icon={Plus} onClick={() => setMaking(true)}>
              {t("agents.new")}
            </Button>
          )
        }
      />
      {!agents.data ? (
        <Skeleton />
      ) : agents.data.length === 0 ? (
        <EmptyState icon={Headset} title={t("agents.empty")} hint={t("agents.emptyHint")}>
          {mayWrite && (
            <Button look="primary" icon={Plus} onClick={() => setMaking(true)}>
              {t("agents.new")}
            </Button>
          )}
        </EmptyState>
      ) : (
        <DataTable caption={t("nav.agents")} columns={columns} items={agents.data} keyOf={(agent) => agent.id} />
      )}
      {talking && (
        <Suspense>
          <TalkDrawer
            key={talking.id}
            agent={{ id: talking.id, name: talking.name, liveVersion: talking.live_version }}
            draft={false}
            country={countryOfLanguage(i18n.language)}
            onClose={() => setTalking(null)}
          />
        </Suspense>
      )}
      {making && <NewAgentDialog onClose={() => setMaking(false)} />}
    </>
  );
}

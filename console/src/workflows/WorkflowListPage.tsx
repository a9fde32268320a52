import { useQuery } from "@tanstack/react-query";
import { Plus, Workflow as Icon } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { useTranslation } from "react-i18next";
import { workflowOverviewQuery } from "@/api/queries";
import { useMay } from "@/api/session";
import type { Use, WorkflowOverview } from "@/api/types";
import { Button } from "@/ui/Button";
import { DataTable, type Column } from "@/ui/DataTable";
import { Lamp } from "@/ui/Lamp";
import { EmptyState, PageHeader, Skeleton } from "@/ui/Layouts";
import { useFormats } from "@/ui/useFormats";
import { KIND_ICONS, runLamp, statusLamp } from "./kinds";
import { NewWorkflowDialog } from "./NewWorkflowDialog";
import { WorkflowMenu } from "./WorkflowMenu";

/** What Parlons asks of other systems, and tells them. */
export function WorkflowListPage() {
  const { t } = useTranslation();
  const mayWrite = useMay("write");
  const workflows = useQuery(workflowOverviewQuery);
  const { dateTime } = useFormats();
  const [making, setMaking] = useState(false);
  if (workflows.error && !workflows.data) throw workflows.error;
  const add = mayWrite && (
    <Button look="primary" icon={Plus} onClick={() => setMaking(true)}>
      {t("workflows.new")}
    </Button>
  );
  const columns: Column<WorkflowOverview>[] = [
    { key: "name", label: t("fields.name"), cell: (item) => <Name item={item} /> },
    { key: "status", label: t("fields.status"), cell: (item) => <Lamp state={statusLamp(item.document.status)} label={t(`workflows.status.${item.document.status}`)} /> },
    { key: "uses", label: t("workflows.usedBy"), cell: (item) => <Uses item={item} /> },
    {
      key: "last",
      label: t("workflows.lastRun"),
      cell: (item) =>
        item.last_run ? (
          <Link to={`/workflows/${item.id}/runs/${item.last_run.id}`} className="grid hover:underline">
            <Lamp state={runLamp(item.last_run.status)} label={t(`workflows.runStatus.${item.last_run.status}`)} />
            <span className="numbers text-sm text-ink-soft">{dateTime(item.last_run.started_at)}</span>
          </Link>
        ) : (
          <span className="hidden text-sm text-ink-soft md:inline">{t("workflows.neverRan")}</span>
        ),
    },
    { key: "menu", label: t("ui.actions"), cell: (item) => <WorkflowMenu id={item.id} name={item.document.name} /> },
  ];
  return (
    <>
      <PageHeader title={t("nav.workflows")} hint={t("workflows.hint")} actions={add} />
      {!workflows.data ? (
        <Skeleton />
      ) : workflows.data.length === 0 ? (
        <EmptyState icon={Icon} title={t("workflows.empty")} hint={t("workflows.emptyHint")}>
          {add}
        </EmptyState>
      ) : (
        <DataTable caption={t("nav.workflows")} columns={columns} items={workflows.data} keyOf={(item) => item.id} />
      )}
      {making && <NewWorkflowDialog onClose={() => setMaking(false)} />}
    </>
  );
}

function Name({ item }: { item: WorkflowOverview }) {
  const { t } = useTranslation();
  const { name, kind, trigger } = item.document;
  const KindIcon = KIND_ICONS[kind];
  return (
    <span className="flex items-center gap-3 pr-10 md:pr-0">
      <span className="grid size-9 shrink-0 place-items-center rounded-full bg-brand-wash text-brand-strong" title={t(`workflows.kind.${kind}`)}>
        <KindIcon aria-label={t(`workflows.kind.${kind}`)} className="size-4" />
      </span>
      <span className="grid min-w-0">
        <Link to={`/workflows/${item.id}`} className="font-semibold break-words hover:underline">
          {name}
        </Link>
        <span className="text-sm text-ink-soft">{t(`workflows.trigger.${trigger}`)}</span>
      </span>
    </span>
  );
}

/** Agents that name it; what runs after calls runs for all of them. */
function Uses({ item }: { item: WorkflowOverview }) {
  const { t } = useTranslation();
  if (item.document.trigger === "post_call") return <span className="text-sm">{t(item.document.status === "published" ? "workflows.everyCall" : "workflows.noCall")}</span>;
  const agents = byId((item.used_by ?? []).filter((use) => use.kind === "agent"));
  if (agents.length === 0) return <span className="text-sm text-ink-soft">{t("workflows.noUse")}</span>;
  return (
    <ul className="grid text-sm">
      {agents.map((use) => (
        <li key={use.id}>
          <Link to={`/agents/${use.id}`} className="break-words hover:underline">
            {use.live ? use.name : t("workflows.draftUse", { name: use.name })}
          </Link>
        </li>
      ))}
    </ul>
  );
}

function byId(uses: readonly Use[]): Use[] {
  const found = new Map<string, Use>();
  for (const use of uses) found.set(use.id, { ...use, live: use.live || (found.get(use.id)?.live ?? false) });
  return [...found.values()];
}

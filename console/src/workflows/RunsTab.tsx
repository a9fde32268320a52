import { useInfiniteQuery } from "@tanstack/react-query";
import { History } from "lucide-react";
import { Link, useSearchParams } from "react-router";
import { useTranslation } from "react-i18next";
import type { RunSummary } from "@/api/types";
import { listRuns } from "@/api/workflows";
import { Button } from "@/ui/Button";
import { DataTable, type Column } from "@/ui/DataTable";
import { SelectInput } from "@/ui/Inputs";
import { Lamp } from "@/ui/Lamp";
import { EmptyState, Skeleton } from "@/ui/Layouts";
import { useFormats } from "@/ui/useFormats";
import { useWorkflowEditor } from "./editor";
import { runLamp } from "./kinds";
import { milliseconds } from "./words";

const STATUSES = ["ok", "error", "timeout", "cancelled"] as const;

/** What the workflow did, newest first. */
export function RunsTab() {
  const { t } = useTranslation();
  const { id } = useWorkflowEditor();
  const [search, setSearch] = useSearchParams();
  const status = STATUSES.find((known) => known === search.get("status"));
  const runs = useInfiniteQuery({
    queryKey: ["workflows", id, "runs", "list", status],
    queryFn: ({ pageParam }) => listRuns(id, status, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: 15_000,
  });
  const { dateTime, number } = useFormats();
  if (runs.error && !runs.data) throw runs.error;
  const columns: Column<RunSummary>[] = [
    {
      key: "when",
      label: t("calls.column.when"),
      cell: (run) => (
        <Link to={run.id} className="numbers font-semibold hover:underline">
          {dateTime(run.started_at)}
        </Link>
      ),
    },
    { key: "status", label: t("fields.status"), cell: (run) => <Lamp state={runLamp(run.status)} label={t(`workflows.runStatus.${run.status}`)} /> },
    {
      key: "call",
      label: t("workflows.forCall"),
      cell: (run) =>
        run.call_id ? (
          <Link to={`/calls/${run.call_id}`} className="text-sm hover:underline">
            {t("workflows.seeCall")}
          </Link>
        ) : (
          <span className="text-sm text-ink-soft">{t("workflows.wasTried")}</span>
        ),
    },
    { key: "length", label: t("calls.column.length"), numeric: true, cell: (run) => <span className="text-sm whitespace-nowrap">{milliseconds(number, run.duration_ms)}</span> },
  ];
  const items = runs.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <div className="mb-5 max-w-60">
        <SelectInput label={t("fields.status")} value={status ?? ""} empty={t("calls.all")} choices={STATUSES.map((value) => ({ value, label: t(`workflows.runStatus.${value}`) }))} onChange={(value) => setSearch(value ? { status: value } : {})} />
      </div>
      {runs.isPending ? (
        <Skeleton />
      ) : items.length === 0 ? (
        <EmptyState icon={History} title={t(status ? "workflows.noMatch" : "workflows.noRun")} hint={t(status ? "workflows.noMatchHint" : "workflows.noRunHint")}>
          {status && <Button onClick={() => setSearch({})}>{t("calls.clear")}</Button>}
        </EmptyState>
      ) : (
        <>
          <DataTable caption={t("workflows.tab.runs")} columns={columns} items={items} keyOf={(run) => run.id} />
          {runs.hasNextPage && (
            <div className="mt-4 flex justify-center">
              <Button busy={runs.isFetchingNextPage} onClick={() => void runs.fetchNextPage()}>
                {t("workflows.older")}
              </Button>
            </div>
          )}
        </>
      )}
    </>
  );
}

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Download, PhoneIncoming, PhoneOff, PhoneOutgoing } from "lucide-react";
import { Link, useSearchParams } from "react-router";
import { useTranslation } from "react-i18next";
import { exportUrl, listCalls } from "@/api/calls";
import { agentsQuery } from "@/api/queries";
import type { CallSummary } from "@/api/types";
import { spaced } from "@/phone/numbers";
import { Button } from "@/ui/Button";
import { DataTable, type Column } from "@/ui/DataTable";
import { Lamp } from "@/ui/Lamp";
import { EmptyState, PageHeader, Skeleton } from "@/ui/Layouts";
import { useFormats } from "@/ui/useFormats";
import { CallFilters } from "./CallFilters";
import { filterOf } from "./filter";
import { FromBrowser } from "./FromBrowser";
import { LiveCalls } from "./LiveCalls";
import { lampOf } from "./status";

/** Every call, newest first. */
export function CallListPage() {
  const { t, i18n } = useTranslation();
  const [search, setSearch] = useSearchParams();
  const filter = filterOf(search);
  const agents = useQuery(agentsQuery);
  const calls = useInfiniteQuery({
    queryKey: ["calls", "list", filter],
    queryFn: ({ pageParam }) => listCalls(filter, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: 15_000,
  });
  const { dateTime, duration } = useFormats();
  if (calls.error && !calls.data) throw calls.error;

  const nameOf = (id: string | null) => agents.data?.find((agent) => agent.id === id)?.name ?? id ?? "";
  const columns: Column<CallSummary>[] = [
    {
      key: "who",
      label: t("calls.column.who"),
      cell: (call) => {
        const Icon = call.direction === "inbound" ? PhoneIncoming : PhoneOutgoing;
        const other = call.direction === "inbound" ? call.caller : call.called;
        return (
          <span className="flex flex-wrap items-center gap-x-3">
            <Icon aria-label={t(`values.${call.direction}`)} className="size-4 shrink-0 text-ink-soft" />
            <Link to={`/calls/${call.id}`} className="numbers font-semibold after:absolute after:inset-0 hover:underline">
              {call.anonymous || !other ? t("calls.withheld") : spaced(other)}
            </Link>
            {call.from_browser && <FromBrowser />}
          </span>
        );
      },
    },
    { key: "status", label: t("fields.status"), cell: (call) => <Lamp state={lampOf(call.status)} live={call.status === "in_progress"} label={t(`calls.status.${call.status}`)} /> },
    { key: "agent", label: t("calls.column.agent"), cell: (call) => <span className="text-sm">{nameOf(call.agent_id)}</span> },
    { key: "when", label: t("calls.column.when"), cell: (call) => <span className="numbers text-sm whitespace-nowrap">{dateTime(call.started_at)}</span> },
    {
      key: "length",
      label: t("calls.column.length"),
      numeric: true,
      wideOnly: true,
      cell: (call) => <span className="text-sm whitespace-nowrap">{call.answered_at && call.ended_at ? duration(Date.parse(call.ended_at) - Date.parse(call.answered_at)) : "–"}</span>,
    },
  ];
  const apart = !search.get("status"); // those under way have a place of their own then
  const items = (calls.data?.pages.flatMap((page) => page.items) ?? []).filter((call) => !apart || call.status !== "in_progress");
  const filtered = [...search.keys()].length > 0;

  return (
    <>
      <PageHeader
        title={t("nav.calls")}
        hint={t("calls.hint")}
        actions={
          items.length > 0 && (
            <a href={exportUrl(filter, i18n.language)} download className="inline-flex items-center gap-2 font-semibold text-brand-strong underline">
              <Download aria-hidden className="size-4" />
              {t("calls.export")}
            </a>
          )
        }
      />
      {apart && <LiveCalls nameOf={nameOf} />}
      <CallFilters search={search} onChange={setSearch} agents={agents.data ?? []} />
      {calls.isPending ? (
        <Skeleton />
      ) : items.length === 0 ? (
        <EmptyState icon={PhoneOff} title={t(filtered ? "calls.noMatch" : "calls.empty")} hint={t(filtered ? "calls.noMatchHint" : "calls.emptyHint")}>
          {filtered && <Button onClick={() => setSearch({})}>{t("calls.clear")}</Button>}
        </EmptyState>
      ) : (
        <>
          <DataTable caption={t("nav.calls")} columns={columns} items={items} keyOf={(call) => call.id} />
          {calls.hasNextPage && (
            <div className="mt-4 flex justify-center">
              <Button busy={calls.isFetchingNextPage} onClick={() => void calls.fetchNextPage()}>
                {t("calls.more")}
              </Button>
            </div>
          )}
        </>
      )}
    </>
  );
}

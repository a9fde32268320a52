import { useQuery } from "@tanstack/react-query";
import { Cable, Plus } from "lucide-react";
import { Link } from "react-router";
import { useTranslation } from "react-i18next";
import { connectionsQuery } from "@/api/queries";
import { useMay } from "@/api/session";
import type { SipConnectionResource } from "@/api/types";
import { DataTable, type Column } from "@/ui/DataTable";
import { EmptyState, PageHeader, Skeleton } from "@/ui/Layouts";
import { ConnectionLamp } from "./ConnectionLamp";

const BUTTON = "inline-flex min-h-10 items-center gap-2 rounded-control bg-brand px-4 py-2 font-semibold text-white hover:bg-brand-strong";

/** The lines to the outside: trunks and PBXs, with how each stands now. */
export function ConnectionListPage() {
  const { t } = useTranslation();
  const mayWrite = useMay("write");
  const connections = useQuery({ ...connectionsQuery, refetchInterval: 10_000 });
  if (connections.error && !connections.data) throw connections.error;
  const add = mayWrite && (
    <Link to="/connections/new" className={BUTTON}>
      <Plus aria-hidden className="size-4" />
      {t("connections.new")}
    </Link>
  );
  const columns: Column<SipConnectionResource>[] = [
    {
      key: "name",
      label: t("fields.name"),
      cell: (item) => (
        <Link to={`/connections/${item.id}`} className="font-semibold after:absolute after:inset-0 hover:underline">
          {item.document.name}
        </Link>
      ),
    },
    { key: "host", label: t("fields.host"), cell: (item) => <span className="numbers text-sm break-all">{`${item.document.host}:${item.document.port}`}</span> },
    { key: "state", label: t("connections.state"), cell: (item) => <ConnectionLamp state={item.state} /> },
  ];
  return (
    <>
      <PageHeader title={t("nav.connections")} hint={t("connections.hint")} actions={add} />
      {!connections.data ? (
        <Skeleton />
      ) : connections.data.length === 0 ? (
        <EmptyState icon={Cable} title={t("connections.empty")} hint={t("connections.emptyHint")}>
          {add}
        </EmptyState>
      ) : (
        <DataTable caption={t("nav.connections")} columns={columns} items={connections.data} keyOf={(item) => item.id} />
      )}
    </>
  );
}

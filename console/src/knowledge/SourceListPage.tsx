import { useQuery } from "@tanstack/react-query";
import { BookOpen, Plus } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { useTranslation } from "react-i18next";
import { dataSourcesQuery } from "@/api/queries";
import { useMay } from "@/api/session";
import type { DataSourceResource } from "@/api/types";
import { Button } from "@/ui/Button";
import { DataTable, type Column } from "@/ui/DataTable";
import { EmptyState, PageHeader, Skeleton } from "@/ui/Layouts";
import { useFormats } from "@/ui/useFormats";
import { languageName } from "./languages";
import { NewSourceDialog } from "./NewSourceDialog";
import { SourceLamp } from "./SourceLamp";

const READING_MS = 2000;
const QUIET_MS = 15_000;

/** What agents look their answers up in. */
export function SourceListPage() {
  const { t, i18n } = useTranslation();
  const mayWrite = useMay("write");
  const { number } = useFormats();
  const [making, setMaking] = useState(false);
  const sources = useQuery({
    ...dataSourcesQuery,
    refetchInterval: ({ state }) => (state.data?.some((source) => source.state.pending > 0) ? READING_MS : QUIET_MS),
  });
  if (sources.error && !sources.data) throw sources.error;
  const add = mayWrite && (
    <Button look="primary" icon={Plus} onClick={() => setMaking(true)}>
      {t("knowledge.new")}
    </Button>
  );
  const columns: Column<DataSourceResource>[] = [
    {
      key: "name",
      label: t("knowledge.column.name"),
      cell: (source) => (
        <span className="flex items-center gap-3">
          <span className="grid size-9 shrink-0 place-items-center rounded-full bg-brand-wash text-brand-strong">
            <BookOpen aria-hidden className="size-4" />
          </span>
          <Link to={`/knowledge/${source.id}`} className="min-w-0 font-semibold break-words after:absolute after:inset-0 hover:underline">
            {source.document.name}
          </Link>
        </span>
      ),
    },
    { key: "state", label: t("knowledge.column.state"), cell: (source) => <SourceLamp state={source.state} /> },
    { key: "documents", label: t("knowledge.column.documents"), numeric: true, cell: (source) => <Counted narrow={t("knowledge.documents", { count: source.state.documents })} wide={number(source.state.documents)} /> },
    { key: "passages", label: t("knowledge.column.passages"), numeric: true, wideOnly: true, cell: (source) => number(source.state.passages) },
    { key: "language", label: t("knowledge.column.language"), wideOnly: true, cell: (source) => <span className="text-sm">{languageName(i18n.language, source.document.language)}</span> },
  ];
  return (
    <>
      <PageHeader title={t("nav.knowledge")} hint={t("knowledge.hint")} actions={add} />
      {!sources.data ? (
        <Skeleton />
      ) : sources.data.length === 0 ? (
        <EmptyState icon={BookOpen} title={t("knowledge.empty")} hint={t("knowledge.emptyHint")}>
          {add}
        </EmptyState>
      ) : (
        <DataTable caption={t("nav.knowledge")} columns={columns} items={sources.data} keyOf={(source) => source.id} />
      )}
      {making && <NewSourceDialog onClose={() => setMaking(false)} />}
    </>
  );
}

/** A number under its heading, or with its noun where there is no heading. */
function Counted({ narrow, wide }: { narrow: string; wide: string }) {
  return (
    <>
      <span className="text-sm text-ink-soft md:hidden">{narrow}</span>
      <span className="hidden md:inline">{wide}</span>
    </>
  );
}

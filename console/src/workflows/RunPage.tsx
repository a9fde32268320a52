import { useQuery } from "@tanstack/react-query";
import { ArrowLeft } from "lucide-react";
import { Link, useParams } from "react-router";
import { useTranslation } from "react-i18next";
import { Problem } from "@/api/problem";
import { workflowRunQuery } from "@/api/queries";
import { MissingPage } from "@/app/MissingPage";
import { Skeleton } from "@/ui/Layouts";
import { useFormats } from "@/ui/useFormats";
import { TRIGGERS } from "./document";
import { useWorkflowEditor } from "./editor";
import { RunView } from "./RunView";

/** One run that is kept. */
export function RunPage() {
  const { t } = useTranslation();
  const { id, draft } = useWorkflowEditor();
  const { run: runId = "" } = useParams();
  const run = useQuery(workflowRunQuery(id, runId));
  const { dateTime } = useFormats();
  if (run.error instanceof Problem && run.error.status === 404) return <MissingPage />;
  if (run.error) throw run.error;
  if (!run.data) return <Skeleton rows={5} />;
  const { trigger, call_id, started_at } = run.data;
  return (
    <div className="grid gap-6">
      <div className="flex flex-wrap items-baseline gap-x-5 gap-y-1">
        <Link to=".." relative="path" className="inline-flex items-center gap-1.5 text-sm font-semibold text-brand-strong hover:underline">
          <ArrowLeft aria-hidden className="size-4" />
          {t("workflows.allRuns")}
        </Link>
        <h2 className="numbers text-lg font-bold">{dateTime(started_at)}</h2>
        {call_id ? (
          <Link to={`/calls/${call_id}`} className="text-sm font-semibold text-brand-strong hover:underline">
            {t("workflows.seeCall")}
          </Link>
        ) : (
          <span className="text-sm text-ink-soft">{t("workflows.wasTried")}</span>
        )}
      </div>
      <RunView run={run.data} trigger={TRIGGERS.find((known) => known === trigger) ?? draft.trigger} />
    </div>
  );
}

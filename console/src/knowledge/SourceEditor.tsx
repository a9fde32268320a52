import { ArrowLeft } from "lucide-react";
import { Link, Outlet } from "react-router";
import { useTranslation } from "react-i18next";
import { LeaveGuard } from "@/agents/LeaveGuard";
import { StaleDialog } from "@/agents/StaleDialog";
import { useMay } from "@/api/session";
import type { DataSourceResource } from "@/api/types";
import { FormContext } from "@/form/FormContext";
import { PageHeader } from "@/ui/Layouts";
import { TabLinks } from "@/ui/TabLinks";
import { DeleteSource } from "./DeleteSource";
import { SourceContext } from "./editor";
import { SourceLamp } from "./SourceLamp";
import { stateOf, useDocuments } from "./useDocuments";
import { useSourceState } from "./useSourceState";

/** One data source: what is in it and trying it, and its settings. */
export function SourceEditor({ loaded }: { loaded: DataSourceResource }) {
  const { t } = useTranslation();
  const readOnly = !useMay("write");
  const { editing, form, theirs, keep, later, forget } = useSourceState(loaded, readOnly);
  const documents = useDocuments(loaded.id);
  const problems = form.shown.length;
  return (
    <SourceContext value={editing}>
      <FormContext value={form.context}>
        <PageHeader
          above={
            <Link to="/knowledge" className="inline-flex items-center gap-1.5 text-sm font-semibold text-brand-strong hover:underline">
              <ArrowLeft aria-hidden className="size-4" />
              {t("nav.knowledge")}
            </Link>
          }
          title={editing.stored.name}
          hint={<SourceLamp state={documents.data ? stateOf(documents.data) : loaded.state} />}
          actions={!readOnly && <DeleteSource id={loaded.id} name={editing.stored.name} onGone={forget} />}
        />
        <TabLinks
          label={t("knowledge.parts")}
          tabs={[
            { to: "documents", label: t("knowledge.tab.documents") },
            { to: "settings", label: t("knowledge.tab.settings"), problems, problemsLabel: t("editor.problems", { count: problems }) },
          ]}
        />
        <Outlet />
        {theirs && <StaleDialog base={editing.stored} mine={editing.draft} theirs={theirs} onKeep={keep} onClose={later} />}
        <LeaveGuard dirty={editing.dirty && !readOnly} own={`/knowledge/${loaded.id}`} />
      </FormContext>
    </SourceContext>
  );
}

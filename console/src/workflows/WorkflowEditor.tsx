import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Outlet } from "react-router";
import { useTranslation } from "react-i18next";
import { LeaveGuard } from "@/agents/LeaveGuard";
import { StaleDialog } from "@/agents/StaleDialog";
import { secretsQuery } from "@/api/queries";
import type { WorkflowResource } from "@/api/types";
import { FormContext } from "@/form/FormContext";
import { VariablesContext } from "@/form/variables";
import { TabLinks } from "@/ui/TabLinks";
import { WorkflowEditorContext } from "./editor";
import { useWorkflowState } from "./useWorkflowState";
import { variablesOf } from "./variables";
import { WorkflowBar } from "./WorkflowBar";

/** Everything about one workflow: what it is, trying it, what it did; one draft behind them all. */
export function WorkflowEditor({ loaded }: { loaded: WorkflowResource }) {
  const { t } = useTranslation();
  const { editor, base, stale, resolve } = useWorkflowState(loaded);
  const secrets = useQuery(secretsQuery);
  const variables = useMemo(() => variablesOf(editor.draft, secrets.data ?? []), [editor.draft, secrets.data]);
  const problems = editor.form.shown.length;
  const tabs = ["edit", "try", "runs", ...(editor.stored.trigger === "post_call" ? ["deliveries"] : [])];
  return (
    <WorkflowEditorContext value={editor}>
      <VariablesContext value={variables}>
        <FormContext value={editor.form.context}>
          <WorkflowBar />
          <TabLinks
            label={t("workflows.parts")}
            tabs={tabs.map((tab) => ({ to: tab, label: t(`workflows.tab.${tab}`), problems: tab === "edit" ? problems : 0, problemsLabel: t("editor.problems", { count: problems }) }))}
          />
          <Outlet />
          {stale && <StaleDialog base={base} mine={editor.draft} theirs={stale.theirs} onKeep={(draft) => void resolve.keep(draft)} onClose={resolve.later} />}
          <LeaveGuard dirty={editor.dirty && !editor.readOnly} own={`/workflows/${editor.id}`} />
        </FormContext>
      </VariablesContext>
    </WorkflowEditorContext>
  );
}

import { useQuery } from "@tanstack/react-query";
import { ArrowLeft, Info } from "lucide-react";
import { useEffect, useRef } from "react";
import { Link, useLocation, useParams } from "react-router";
import { useTranslation } from "react-i18next";
import { HANG_UP_ATTEMPTS, MAX_ACTION_NAME, MAX_DESCRIPTION, WAIT_SECONDS, WORKFLOW_TIMEOUT_SECONDS } from "@/agent/limits";
import { renameAction } from "@/agent/references";
import type { Action } from "@/agent/schema";
import { useAgentEditor } from "@/agents/editor";
import { dataSourcesQuery, workflowsQuery } from "@/api/queries";
import { FormScope, NumberField, SelectField, TextField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { CommitInput } from "@/ui/CommitInput";
import { Notice, Section } from "@/ui/Layouts";
import { MissingPage } from "@/app/MissingPage";
import { ACTION_ICONS } from "./kinds";
import { PreMessageFields } from "./PreMessageFields";
import { TransferFields } from "./TransferFields";

/** One action: what all kinds have, then what this kind has. */
export function ActionPage() {
  const { t } = useTranslation();
  const { draft } = useAgentEditor();
  const index = Number(useParams()["index"]);
  const action = draft.actions[index];
  const fields = useRef<HTMLDivElement>(null);
  const state: unknown = useLocation().state;
  const added = typeof state === "object" && state !== null && "added" in state;

  // One that was just added begins at its name.
  useEffect(() => {
    if (added) fields.current?.querySelector("input")?.focus({ preventScroll: true });
  }, [added]);

  if (!action) return <MissingPage />;
  const Icon = ACTION_ICONS[action.type];
  return (
    <FormScope at={["actions", index]}>
      <Link to=".." relative="path" className="mb-4 inline-flex items-center gap-1.5 text-sm font-semibold text-brand-strong hover:underline">
        <ArrowLeft aria-hidden className="size-4" />
        {t("actions.back")}
      </Link>
      <div ref={fields} className="grid gap-6">
        <Section
          title={t(`actions.kind.${action.type}`)}
          hint={t(`actions.kindHint.${action.type}`)}
          aside={
            <span className="grid size-11 place-items-center rounded-full bg-brand-wash text-brand-strong">
              <Icon aria-hidden className="size-5" />
            </span>
          }
        >
          <NameField index={index} />
          <TextField at="description" label={t(action.type === "transfer" ? "fields.description" : "fields.actionDescription")} hint={t(`actions.descriptionHint.${action.type}`)} rows={4} maxLength={MAX_DESCRIPTION} required />
          <OwnFields action={action} />
        </Section>
        {action.type === "transfer" && <TransferFields action={action} />}
      </div>
    </FormScope>
  );
}

function NameField({ index }: { index: number }) {
  const { t } = useTranslation();
  const { edit } = useAgentEditor();
  const name = useField<string>("name");
  return (
    <CommitInput
      label={t("fields.actionName")}
      hint={t("actions.nameHint")}
      value={name.value}
      maxLength={MAX_ACTION_NAME}
      error={name.error}
      disabled={name.readOnly}
      onCommit={(next) => {
        name.touch();
        edit((agent) => renameAction(agent, index, next));
      }}
    />
  );
}

function OwnFields({ action }: { action: Action }) {
  const { t } = useTranslation();
  switch (action.type) {
    case "workflow":
      return <WorkflowFields />;
    case "hang_up":
      return (
        <>
          <NumberField at="min_attempts" label={t("fields.min_attempts")} hint={t("actions.attemptsHint")} range={HANG_UP_ATTEMPTS} />
          <Notice icon={Info}>{t("actions.hangUpNotice")}</Notice>
        </>
      );
    case "rag":
      return <RagFields />;
    case "keypad":
      return <Notice icon={Info}>{t("actions.keypadNotice")}</Notice>;
    case "wait":
      return (
        <>
          <NumberField at="max_wait_seconds" label={t("fields.max_wait_seconds")} hint={t("actions.waitHint")} range={WAIT_SECONDS} unit="s" />
          <Notice icon={Info}>{t("actions.waitNotice")}</Notice>
        </>
      );
    case "transfer":
      return null;
  }
}

function WorkflowFields() {
  const { t } = useTranslation();
  const workflows = useQuery(workflowsQuery);
  const choices = (workflows.data ?? []).filter((item) => item.document.trigger === "live_call").map((item) => ({ value: item.id, label: item.document.name }));
  return (
    <>
      <div className="grid gap-5 md:grid-cols-2">
        <SelectField at="workflow_id" label={t("fields.workflow_id")} empty={t("ui.choose")} choices={choices} required hint={workflows.data && choices.length === 0 ? t("actions.noWorkflow") : t("actions.workflowHint")} />
        <NumberField at="timeout_seconds" label={t("fields.timeout_seconds")} range={WORKFLOW_TIMEOUT_SECONDS} unit="s" />
      </div>
      <PreMessageFields />
    </>
  );
}

function RagFields() {
  const { t } = useTranslation();
  const sources = useQuery(dataSourcesQuery);
  const choices = (sources.data ?? []).map((item) => ({ value: item.id, label: item.document.name }));
  return (
    <>
      <SelectField at="data_source_id" label={t("fields.data_source_id")} empty={t("ui.choose")} choices={choices} required hint={sources.data && choices.length === 0 ? t("actions.noSource") : t("actions.sourceHint")} />
      <PreMessageFields />
    </>
  );
}

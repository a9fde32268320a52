/** The kinds of step that need a few fields only. */
import { useQuery } from "@tanstack/react-query";
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { TRANSFER_OUTCOMES } from "@/agent/limits";
import type { Step } from "@/agent/schema";
import { useAgentEditor } from "@/agents/editor";
import { workflowsQuery } from "@/api/queries";
import { SelectField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { TemplateField } from "@/form/VariablePicker";
import { Button, IconButton } from "@/ui/Button";
import { SelectInput, TextInput } from "@/ui/Inputs";
import { TargetSelect } from "./TargetSelect";

export function SayFields() {
  const { t } = useTranslation();
  return (
    <>
      <TemplateField at="text" label={t("fields.text")} hint={t("path.sayHint")} rows={3} required />
      <TargetSelect at="to" label={t("fields.to")} />
    </>
  );
}

export function EndFields() {
  const { t } = useTranslation();
  return <TemplateField at="text" label={t("fields.text")} hint={t("path.endHint")} rows={3} nullable />;
}

export function WorkflowStepFields({ step }: { step: Extract<Step, { type: "workflow" }> }) {
  const { t } = useTranslation();
  const workflows = useQuery(workflowsQuery);
  const choices = (workflows.data ?? []).filter((item) => item.document.trigger === "live_call").map((item) => ({ value: item.id, label: item.document.name }));
  return (
    <>
      <SelectField at="workflow_id" label={t("fields.workflow_id")} choices={choices} empty={t("ui.choose")} required hint={workflows.data && choices.length === 0 ? t("actions.noWorkflow") : undefined} />
      <InputFields step={step} />
      <TargetSelect at="on_success" label={t("fields.on_success")} />
      <TargetSelect at="on_error" label={t("fields.on_error")} />
    </>
  );
}

function InputFields({ step }: { step: Extract<Step, { type: "workflow" }> }) {
  const { t } = useTranslation();
  const input = useField<Record<string, string>>("input");
  const [name, setName] = useState("");
  const valid = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name);
  return (
    <fieldset className="grid gap-3">
      <legend className="mb-2 text-sm font-semibold">{t("fields.input")}</legend>
      {Object.keys(step.input).map((key) => (
        <div key={key} className="flex items-start gap-2">
          <div className="flex-1">
            <TemplateField at={["input", key]} label={key} rows={1} />
          </div>
          <IconButton icon={Trash2} label={t("path.removeInput", { name: key })} disabled={input.readOnly} onClick={() => input.set(Object.fromEntries(Object.entries(step.input).filter(([other]) => other !== key)))} className="mt-6" />
        </div>
      ))}
      {!input.readOnly && (
        <div className="flex items-end gap-2">
          <TextInput label={t("path.newInput")} value={name} onChange={setName} mono />
          <Button
            icon={Plus}
            disabled={!valid || name in step.input}
            onClick={() => {
              input.set({ ...step.input, [name]: `{{ ${name} }}` });
              setName("");
            }}
          >
            {t("ui.add")}
          </Button>
        </div>
      )}
    </fieldset>
  );
}

export function TransferStepFields({ step }: { step: Extract<Step, { type: "transfer" }> }) {
  const { t } = useTranslation();
  const { draft } = useAgentEditor();
  const outcomes = useField<Record<string, string>>("outcomes");
  const transfers = draft.actions.filter((action) => action.type === "transfer").map((action) => ({ value: action.name, label: action.name }));
  const left = TRANSFER_OUTCOMES.filter((outcome) => !(outcome in step.outcomes));
  return (
    <>
      <SelectField at="action" label={t("fields.action")} choices={transfers} empty={t("ui.choose")} required hint={transfers.length === 0 ? t("path.noTransfer") : undefined} />
      <fieldset className="grid gap-3">
        <legend className="mb-2 text-sm font-semibold">{t("fields.outcomes")}</legend>
        {Object.keys(step.outcomes).map((outcome) => (
          <div key={outcome} className="flex items-start gap-2">
            <div className="flex-1">
              <TargetSelect at={["outcomes", outcome]} label={t(`outcomes.${outcome}`)} />
            </div>
            <IconButton icon={Trash2} label={t("path.removeOutcome", { outcome: t(`outcomes.${outcome}`) })} disabled={outcomes.readOnly} onClick={() => outcomes.set(Object.fromEntries(Object.entries(step.outcomes).filter(([other]) => other !== outcome)))} className="mt-6" />
          </div>
        ))}
        {!outcomes.readOnly && left.length > 0 && (
          <SelectInput label={t("path.addOutcome")} value="" empty={t("ui.choose")} choices={left.map((value) => ({ value, label: t(`outcomes.${value}`) }))} onChange={(outcome) => outcome && outcomes.set({ ...step.outcomes, [outcome]: step.else })} />
        )}
      </fieldset>
      <TargetSelect at="else" label={t("fields.else")} hint={t("path.transferElseHint")} />
    </>
  );
}

import { useTranslation } from "react-i18next";
import { useField } from "@/form/FormContext";
import { SelectField, TextField } from "@/form/Fields";
import { RadioCards } from "@/ui/RadioCards";
import { Section } from "@/ui/Layouts";
import { MAX_WORKFLOW_DESCRIPTION, TRIGGERS, WORKFLOW_STATUSES } from "./document";
import { useWorkflowEditor } from "./editor";
import { InputRows } from "./InputRows";
import { KIND_ICONS } from "./kinds";
import { SecretsSection } from "./SecretsSection";
import { StepList } from "./StepList";
import { WebhookFields } from "./WebhookFields";

/** What the workflow is: when it runs, what it takes, what it does. */
export function EditTab() {
  const { t } = useTranslation();
  const { draft, readOnly } = useWorkflowEditor();
  const kind = useField<string>("kind");
  return (
    <div className="grid gap-6">
      <Section title={t("workflows.identity")} hint={t("workflows.identityHint")}>
        <div className="grid gap-5 md:grid-cols-2">
          <TextField at="name" label={t("fields.name")} maxLength={200} required />
          <SelectField at="status" label={t("fields.status")} hint={t(`workflows.statusHint.${draft.status}`)} choices={WORKFLOW_STATUSES.map((value) => ({ value, label: t(`workflows.status.${value}`) }))} />
        </div>
        <SelectField at="trigger" label={t("fields.trigger")} hint={t(`workflows.triggerHint.${draft.trigger}`)} choices={TRIGGERS.map((value) => ({ value, label: t(`workflows.trigger.${value}`) }))} />
        <TextField at="description" label={t("fields.description")} hint={t("workflows.descriptionHint")} rows={2} maxLength={MAX_WORKFLOW_DESCRIPTION} required={false} />
        <RadioCards
          legend={t("fields.kind")}
          columns="two"
          value={draft.kind}
          disabled={readOnly}
          onChange={kind.set}
          cards={(["webhook", "steps"] as const).map((value) => ({ value, icon: KIND_ICONS[value], label: t(`workflows.kind.${value}`), hint: t(`workflows.kindHint.${value}`) }))}
        />
      </Section>
      <Section title={t("workflows.input")} hint={t(`workflows.inputHint.${draft.trigger === "live_call" ? "live_call" : "other"}`)}>
        <InputRows />
      </Section>
      {draft.kind === "webhook" ? (
        <WebhookFields />
      ) : (
        <Section title={t("fields.steps")} hint={t("workflows.stepsHint")}>
          <StepList at="steps" label={t("fields.steps")} />
        </Section>
      )}
      <SecretsSection />
    </div>
  );
}

import { useQuery } from "@tanstack/react-query";
import { PhoneIncoming, PhoneOutgoing } from "lucide-react";
import { useTranslation } from "react-i18next";
import * as limits from "@/agent/limits";
import { blankPreCall } from "@/agent/blank";
import { workflowsQuery } from "@/api/queries";
import { NumberField, SelectField, SwitchField, TextField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { TemplateField } from "@/form/VariablePicker";
import { Section } from "@/ui/Layouts";
import { RadioCards } from "@/ui/RadioCards";
import { languageChoices, timezoneChoices } from "./choices";
import { useAgentEditor } from "./editor";

export function GeneralTab() {
  const { t, i18n } = useTranslation();
  const direction = useField<string>("direction");
  const { draft } = useAgentEditor();
  return (
    <div className="grid gap-6">
      <Section title={t("general.identity")} hint={t("general.identityHint")}>
        <div className="grid gap-5 md:grid-cols-2">
          <TextField at="name" label={t("fields.name")} maxLength={limits.MAX_NAME} required />
          <div className="grid gap-5 sm:grid-cols-2">
            <SelectField at="language" label={t("fields.language")} choices={languageChoices(i18n.language)} />
            <SelectField at="timezone" label={t("fields.timezone")} choices={timezoneChoices(draft.timezone)} />
          </div>
        </div>
        <RadioCards
          legend={t("fields.direction")}
          columns="two"
          value={direction.value}
          onChange={direction.set}
          disabled={direction.readOnly}
          cards={[
            { value: "inbound", icon: PhoneIncoming, label: t("values.inbound"), hint: t("general.inboundHint") },
            { value: "outbound", icon: PhoneOutgoing, label: t("values.outbound"), hint: t("general.outboundHint") },
          ]}
        />
        <SwitchField at="active" label={t("fields.active")} hint={t("general.activeHint")} />
      </Section>
      <Section title={t("general.words")} hint={t("general.wordsHint")}>
        <TemplateField at="greeting" label={t("fields.greeting")} hint={t("general.greetingHint")} nullable rows={2} />
        <TemplateField at="prompt" label={t("fields.prompt")} hint={t("general.promptHint")} rows={8} />
      </Section>
      <Section title={t("general.during")} hint={t("general.duringHint")}>
        <div className="grid gap-5 md:grid-cols-2">
          <NumberField at="max_call_seconds" label={t("fields.max_call_seconds")} range={limits.CALL_SECONDS} unit="s" hint={t("general.maxCallHint")} />
          <NumberField at="silence_check_seconds" label={t("fields.silence_check_seconds")} range={limits.SILENCE_SECONDS} unit="s" hint={t("general.silenceHint")} />
        </div>
        <TemplateField at="announcement" label={t("fields.announcement")} hint={t("general.announcementHint")} nullable rows={2} />
        <RecordSwitch />
      </Section>
      <PreCallSection />
    </div>
  );
}

/** Recording can be switched on once there is an announcement. */
function RecordSwitch() {
  const { t } = useTranslation();
  const { draft, readOnly } = useAgentEditor();
  const field = useField<boolean>("record_audio");
  const possible = Boolean(draft.announcement?.trim()) || field.value;
  return (
    <div>
      {possible && !readOnly ? (
        <SwitchField at="record_audio" label={t("fields.record_audio")} hint={t("general.recordHint")} />
      ) : (
        <p className="text-sm text-ink-soft">
          <span className="font-semibold text-ink">{t("fields.record_audio")}</span> {t("general.recordNeedsAnnouncement")}
        </p>
      )}
    </div>
  );
}

function PreCallSection() {
  const { t } = useTranslation();
  const workflows = useQuery(workflowsQuery);
  const preCall = useField<{ workflow_id: string } | null>("pre_call");
  const choices = (workflows.data ?? []).filter((item) => item.document.trigger === "pre_call").map((item) => ({ value: item.id, label: item.document.name }));
  return (
    <Section title={t("general.preCall")} hint={t("general.preCallHint")}>
      <div className="grid gap-5 md:grid-cols-2">
        <SelectField
          at={["pre_call", "workflow_id"]}
          label={t("fields.pre_call")}
          empty={t("general.noPreCall")}
          hint={choices.length === 0 && workflows.data ? t("general.noWorkflow") : undefined}
          choices={choices}
          onChoose={(id) => preCall.set(id === "" ? null : { ...blankPreCall(id), ...preCall.value, workflow_id: id })}
        />
        {preCall.value && <NumberField at={["pre_call", "timeout_seconds"]} label={t("fields.timeout_seconds")} range={limits.PRE_CALL_SECONDS} unit="s" />}
      </div>
    </Section>
  );
}

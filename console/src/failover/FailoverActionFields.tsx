import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { MAX_SPOKEN_TEXT, RING_SECONDS } from "@/agent/limits";
import { same } from "@/agent/differences";
import type { FailoverAction } from "@/agent/schema";
import { languageChoices } from "@/agents/choices";
import { useAgentEditor } from "@/agents/editor";
import { connectionsQuery, workflowsQuery } from "@/api/queries";
import { FormScope, NumberField, SelectField, TextField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { HeaderRows } from "@/form/HeaderRows";
import { TemplateField } from "@/form/VariablePicker";
import { PhoneInput } from "@/phone/PhoneInput";
import { countryOfLanguage } from "@/phone/numbers";
import { PlayMessage } from "./PlayMessage";

type Transfer = Extract<FailoverAction, { type: "transfer" }>;
type Message = Extract<FailoverAction, { type: "message" }>;

export function FailoverMessageFields({ message }: { message: Message }) {
  const { t, i18n } = useTranslation();
  const { failover } = useAgentEditor();
  const saved = same(message, failover.live.failover.action);
  return (
    <div className="grid items-start gap-5 md:grid-cols-[2fr_1fr]">
      <TextField at={["failover", "action", "text"]} label={t("fields.spokenText")} hint={t("failover.literalHint")} placeholder={t("failover.messagePlaceholder")} rows={3} maxLength={MAX_SPOKEN_TEXT} required />
      <SelectField at={["failover", "action", "language"]} label={t("fields.spokenLanguage")} hint={t("failover.languageHint")} choices={languageChoices(i18n.language)} required />
      <PlayMessage which="message" unsaved={saved ? null : message} label={t("failover.listen")} />
    </div>
  );
}

export function FailoverWorkflowFields() {
  const { t } = useTranslation();
  const workflows = useQuery(workflowsQuery);
  const choices = (workflows.data ?? []).filter((item) => item.document.trigger === "failover").map((item) => ({ value: item.id, label: item.document.name }));
  return (
    <div className="max-w-xl">
      <SelectField
        at={["failover", "action", "workflow_id"]}
        label={t("fields.workflow_id")}
        empty={t("ui.choose")}
        choices={choices}
        required
        hint={workflows.data && choices.length === 0 ? t("failover.noWorkflow") : t("failover.workflowHint")}
      />
    </div>
  );
}

/** A number, or a destination behind a SIP connection with its own fields. */
export function FailoverTransferFields({ action }: { action: Transfer }) {
  const { t } = useTranslation();
  const connections = useQuery(connectionsQuery);
  const self = useField<Transfer>("failover", "action");
  const choices = (connections.data ?? []).map((item) => ({ value: item.id, label: item.document.name }));

  function connect(id: string) {
    if (id !== "") self.set({ ...action, sip_connection_id: id, phone: null });
    else self.set({ ...action, sip_connection_id: null, destination_id: null, user_to_user: null, headers: [] });
  }

  return (
    <FormScope at={["failover", "action"]}>
      <NumberField at="max_ring_seconds" label={t("fields.max_ring_seconds")} hint={t("failover.ringHint")} range={RING_SECONDS} unit="s" />
      <div className="grid items-start gap-5 md:grid-cols-2">
        <SelectField at="sip_connection_id" label={t("fields.sip_connection_id")} hint={t("failover.connectionHint")} nullable empty={t("failover.noConnection")} choices={choices} onChoose={connect} />
        {action.sip_connection_id === null ? <FailoverPhone /> : <TextField at="destination_id" label={t("fields.destination_id")} hint={t("failover.destinationIdHint")} nullable maxLength={200} />}
      </div>
      {action.sip_connection_id !== null && (
        <>
          <HeaderRows at="headers" legend={t("fields.failoverHeaders")} />
          <TemplateField at="user_to_user" label={t("fields.user_to_user")} hint={t("transfer.userToUserHint")} nullable rows={1} />
        </>
      )}
    </FormScope>
  );
}

function FailoverPhone() {
  const { t } = useTranslation();
  const { draft } = useAgentEditor();
  const phone = useField<string | null>("phone");
  return (
    <PhoneInput
      label={t("fields.failoverPhone")}
      value={phone.value ?? ""}
      onChange={(value) => phone.set(value === "" ? null : value)}
      onBlur={phone.touch}
      error={phone.error}
      country={countryOfLanguage(draft.language)}
      disabled={phone.readOnly}
    />
  );
}

import { useQuery } from "@tanstack/react-query";
import { Bot, Cable, Phone } from "lucide-react";
import { useTranslation } from "react-i18next";
import { RING_SECONDS } from "@/agent/limits";
import type { TransferAction } from "@/agent/schema";
import { useAgentEditor } from "@/agents/editor";
import { agentsQuery, connectionsQuery } from "@/api/queries";
import { NumberField, PartError, SelectField, TextField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { HeaderRows } from "@/form/HeaderRows";
import { TemplateField } from "@/form/VariablePicker";
import { Section } from "@/ui/Layouts";
import { RadioCards } from "@/ui/RadioCards";
import { Destinations } from "./Destinations";
import { ScheduleFields } from "./ScheduleFields";

type Where = "numbers" | "sip" | "agent";

export function whereOf(action: TransferAction): Where {
  if (action.target_agent_id !== null) return "agent";
  return action.sip_connection_id !== null ? "sip" : "numbers";
}

/** The same action, to another kind of place; what does not fit there is left out. */
export function withWhere(action: TransferAction, where: Where): TransferAction {
  const phones = action.destinations.filter((item) => item.phone !== null);
  switch (where) {
    case "numbers":
      return { ...action, target_agent_id: null, sip_connection_id: null, destination_id: null, destinations: phones };
    case "sip":
      return { ...action, target_agent_id: null, sip_connection_id: action.sip_connection_id ?? "" };
    case "agent":
      return { ...action, target_agent_id: action.target_agent_id ?? "", sip_connection_id: null, destination_id: null, destinations: [], user_to_user: null, headers: [], whisper: null, accept_key: null };
  }
}

export function TransferFields({ action }: { action: TransferAction }) {
  const { t } = useTranslation();
  const self = useField<TransferAction>();
  const where = whereOf(action);
  return (
    <>
      <Section title={t("transfer.where")} hint={t("transfer.whereHint")}>
        <RadioCards
          legend={t("transfer.where")}
          hideLegend
          value={where}
          onChange={(next) => self.set(withWhere(action, next as Where))}
          disabled={self.readOnly}
          cards={[
            { value: "numbers", icon: Phone, label: t("transfer.numbers"), hint: t("transfer.numbersHint") },
            { value: "sip", icon: Cable, label: t("fields.sip_connection_id"), hint: t("transfer.sipHint") },
            { value: "agent", icon: Bot, label: t("transfer.agent"), hint: t("transfer.agentHint") },
          ]}
        />
        {where === "sip" && <SipFields />}
        {where === "agent" && <TargetAgent />}
        {where !== "agent" && <NumberField at="max_ring_seconds" label={t("fields.max_ring_seconds")} hint={t("transfer.ringHint")} range={RING_SECONDS} unit="s" />}
        <PartError at={[]} />
      </Section>
      {where !== "agent" && <Destinations action={action} extensions={where === "sip"} />}
      <ScheduleFields />
      {where !== "agent" && <BeforeBridging />}
      {where !== "agent" && (
        <Section title={t("transfer.headers")} hint={t("transfer.headersHint")}>
          <HeaderRows at="headers" legend={t("fields.headers")} />
          <TemplateField at="user_to_user" label={t("fields.user_to_user")} hint={t("transfer.userToUserHint")} nullable rows={1} />
        </Section>
      )}
    </>
  );
}

function SipFields() {
  const { t } = useTranslation();
  const connections = useQuery(connectionsQuery);
  const choices = (connections.data ?? []).map((item) => ({ value: item.id, label: item.document.name }));
  return (
    <div className="grid gap-5 md:grid-cols-2">
      <SelectField at="sip_connection_id" label={t("fields.sip_connection_id")} empty={t("ui.choose")} choices={choices} required hint={connections.data && choices.length === 0 ? t("transfer.noConnection") : undefined} />
      <TextField at="destination_id" label={t("fields.destination_id")} nullable maxLength={200} hint={t("transfer.destinationIdHint")} />
    </div>
  );
}

function TargetAgent() {
  const { t } = useTranslation();
  const { id } = useAgentEditor();
  const agents = useQuery(agentsQuery);
  const choices = (agents.data ?? []).filter((item) => item.id !== id).map((item) => ({ value: item.id, label: item.name }));
  return (
    <div className="max-w-md">
      <SelectField at="target_agent_id" label={t("fields.target_agent_id")} empty={t("ui.choose")} choices={choices} required hint={agents.data && choices.length === 0 ? t("transfer.noAgent") : undefined} />
    </div>
  );
}

function BeforeBridging() {
  const { t } = useTranslation();
  return (
    <Section title={t("transfer.before")} hint={t("transfer.beforeHint")}>
      <TemplateField at="whisper" label={t("fields.whisper")} hint={t("transfer.whisperHint")} nullable rows={2} />
      <div className="max-w-md">
        <SelectField at="accept_key" label={t("fields.accept_key")} hint={t("transfer.acceptKeyHint")} nullable empty={t("transfer.noAcceptKey")} choices={[..."1234567890*#"].map((value) => ({ value, label: value }))} />
      </div>
    </Section>
  );
}

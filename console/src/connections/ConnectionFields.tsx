import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { agentsQuery } from "@/api/queries";
import type { SipConnection } from "@/api/types";
import { NumberField, PartError, SecretField, SelectField, SwitchField, TextField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { HeaderRows } from "@/form/HeaderRows";
import { SwitchInput, TextInput } from "@/ui/Inputs";
import { Section } from "@/ui/Layouts";
import { MAX_CALLS, PORT } from "./schema";

const CODECS = ["PCMA", "PCMU", "G722"] as const;

export function ConnectionFields({ draft }: { draft: SipConnection }) {
  const { t } = useTranslation();
  const agents = useQuery(agentsQuery);
  return (
    <>
      <Section title={t("connections.address")} hint={t("connections.addressHint")}>
        <TextField at="name" label={t("fields.name")} hint={t("connections.nameHint")} maxLength={200} required />
        <div className="grid gap-5 md:grid-cols-[2fr_1fr]">
          <TextField at="host" label={t("fields.host")} hint={t("connections.hostHint")} placeholder="sip.example.com" required />
          <NumberField at="port" label={t("fields.port")} range={PORT} />
        </div>
      </Section>
      <Section title={t("connections.credentials")} hint={t("connections.credentialsHint")}>
        <div className="grid gap-5 md:grid-cols-2">
          <TextField at="username" label={t("fields.username")} nullable />
          <SecretField at="password" label={t("fields.password")} />
        </div>
        <SwitchField at="register" label={t("fields.register")} hint={t("connections.registerHint")} />
      </Section>
      <Section title={t("connections.inbound")} hint={t("connections.inboundHint")}>
        <SelectField at="default_agent_id" label={t("fields.default_agent_id")} hint={t("connections.defaultAgentHint")} nullable empty={t("connections.noDefaultAgent")} choices={(agents.data ?? []).map((agent) => ({ value: agent.id, label: agent.name }))} />
        <Addresses />
        <div className="grid gap-5 md:grid-cols-2">
          <TextField at="inbound_username" label={t("fields.inbound_username")} nullable />
          <SecretField at="inbound_password" label={t("fields.inbound_password")} />
        </div>
      </Section>
      <Section title={t("connections.outbound")} hint={t("connections.outboundHint")}>
        <div className="grid gap-5 md:grid-cols-2">
          <SelectField at="from_mode" label={t("fields.from_mode")} choices={["agent", "caller"].map((value) => ({ value, label: t(`fromModes.${value}`) }))} hint={t("connections.fromHint")} />
          <TextField at="caller_id" label={t("fields.caller_id")} nullable maxLength={64} hint={t("connections.callerIdHint")} />
          <SelectField at="number_format" label={t("fields.number_format")} choices={["e164", "digits", "00", "national"].map((value) => ({ value, label: t(`numberFormats.${value}`) }))} />
          <SelectField at="dtmf" label={t("fields.dtmf")} choices={["auto", "rfc4733", "info", "inband"].map((value) => ({ value, label: t(`dtmfModes.${value}`) }))} />
        </div>
        <Codecs />
        <MaxCalls limited={draft.max_calls !== null} />
        <HeaderRows at="headers" legend={t("fields.headers")} />
      </Section>
    </>
  );
}

/** Addresses, one a line. */
function Addresses() {
  const { t } = useTranslation();
  const field = useField<string[]>("allowed_addresses");
  return (
    <TextInput
      label={t("fields.allowed_addresses")}
      hint={t("connections.addressesHint")}
      rows={2}
      mono
      value={field.value.join("\n")}
      onChange={(text) => field.set(text === "" ? [] : text.split("\n"))}
      onBlur={() => field.set(field.value.map((line) => line.trim()).filter(Boolean))}
      error={field.error}
      disabled={field.readOnly}
      required={false}
    />
  );
}

function Codecs() {
  const { t } = useTranslation();
  const field = useField<string[]>("codecs");
  return (
    <fieldset className="grid gap-2">
      <legend className="mb-1.5 text-sm font-semibold">{t("fields.codecs")}</legend>
      <div className="flex flex-wrap gap-4">
        {CODECS.map((codec) => (
          <label key={codec} className="inline-flex items-center gap-2">
            <input type="checkbox" className="size-4 accent-brand" disabled={field.readOnly} checked={field.value.includes(codec)} onChange={(event) => field.set(event.target.checked ? [...field.value, codec] : field.value.filter((other) => other !== codec))} />
            {codec}
          </label>
        ))}
      </div>
      <PartError at="codecs" />
    </fieldset>
  );
}

function MaxCalls({ limited }: { limited: boolean }) {
  const { t } = useTranslation();
  const field = useField<number | null>("max_calls");
  return (
    <div className="grid gap-3">
      <SwitchInput label={t("connections.limit")} checked={limited} disabled={field.readOnly} onChange={(on) => field.set(on ? 10 : null)} />
      {limited && <NumberField at="max_calls" label={t("fields.max_calls")} range={{ ...MAX_CALLS, default: 10 }} />}
    </div>
  );
}

import { RotateCcw } from "lucide-react";
import { useTranslation } from "react-i18next";
import { same } from "@/agent/differences";
import { NumberField, SwitchField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { Button } from "@/ui/Button";
import { TextInput } from "@/ui/Inputs";
import { Section } from "@/ui/Layouts";
import { BRIDGED_SECONDS, OUTBOUND_LEGS, OUTBOUND_PER_MINUTE, REFUSED_PREFIXES } from "./schema";

/** How much the installation may do by itself: what keeps a mistake, or a thief, from costing a fortune. */
export function LimitsTab() {
  const { t } = useTranslation();
  return (
    <>
      <Section title={t("settings.outgoing")} hint={t("settings.outgoingHint")}>
        <div className="grid gap-5 md:grid-cols-2">
          <NumberField at="max_outbound_legs" label={t("fields.max_outbound_legs")} range={OUTBOUND_LEGS} hint={t("settings.legsHint")} />
          <NumberField at="max_outbound_per_minute" label={t("fields.max_outbound_per_minute")} range={OUTBOUND_PER_MINUTE} hint={t("settings.perMinuteHint")} />
          <NumberField at="max_bridged_seconds" label={t("fields.max_bridged_seconds")} range={BRIDGED_SECONDS} unit="s" hint={t("settings.bridgedHint")} />
        </div>
        <RefusedPrefixes />
      </Section>
      <Section title={t("settings.network")} hint={t("settings.networkHint")}>
        <SwitchField at="allow_private_addresses" label={t("fields.allow_private_addresses")} hint={t("settings.privateHint")} />
      </Section>
    </>
  );
}

/** Beginnings of numbers, one a line. */
function RefusedPrefixes() {
  const { t } = useTranslation();
  const field = useField<string[]>("refused_prefixes");
  const wrong = field.value.findIndex((line) => line.trim() !== "" && !/^\+[0-9]{1,14}$/.test(line.replace(/\s/g, "")));
  const error = wrong < 0 ? field.error : t("settings.wrongPrefix", { line: wrong + 1, value: field.value[wrong] });
  return (
    <div className="grid gap-2">
      <TextInput
        label={t("fields.refused_prefixes")}
        hint={t("settings.prefixesHint")}
        rows={4}
        mono
        value={field.value.join("\n")}
        onChange={(text) => field.set(text === "" ? [] : text.split("\n"))}
        onBlur={() => field.set(field.value.map((line) => line.replace(/\s/g, "")).filter(Boolean))}
        error={error}
        disabled={field.readOnly}
        required={false}
      />
      {!field.readOnly && !same(field.value, REFUSED_PREFIXES) && (
        <div>
          <Button small icon={RotateCcw} onClick={() => field.set([...REFUSED_PREFIXES])}>
            {t("settings.usualPrefixes")}
          </Button>
        </div>
      )}
    </div>
  );
}

import { useTranslation } from "react-i18next";
import { MAX_EXAMPLE } from "@/agent/limits";
import { SwitchField, TextField } from "@/form/Fields";
import { useField } from "@/form/FormContext";

/** What the agent says while the action runs. */
export function PreMessageFields() {
  const { t } = useTranslation();
  const enabled = useField<boolean>("pre_message", "enabled");
  return (
    <fieldset className="grid gap-4 rounded-control bg-surface p-4 ring-1 ring-line">
      <legend className="sr-only">{t("fields.pre_message")}</legend>
      <SwitchField at={["pre_message", "enabled"]} label={t("fields.pre_message")} hint={t("actions.preMessageHint")} />
      {enabled.value && <TextField at={["pre_message", "example"]} label={t("fields.example")} hint={t("actions.exampleHint")} placeholder={t("actions.examplePlaceholder")} maxLength={MAX_EXAMPLE} nullable />}
    </fieldset>
  );
}

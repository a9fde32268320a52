import { useTranslation } from "react-i18next";
import { MAX_SPOKEN_TEXT } from "@/agent/limits";
import { languageChoices } from "@/agents/choices";
import { useAgentEditor } from "@/agents/editor";
import { SelectField, TextField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { Section } from "@/ui/Layouts";
import { SwitchInput } from "@/ui/Inputs";

type Spoken = { text: string; language: string } | null;

/** The last resort, which can always be played. */
export function DefaultMessage() {
  const { t, i18n } = useTranslation();
  const { draft } = useAgentEditor();
  const message = useField<Spoken>("default_error_message");
  return (
    <Section title={t("fields.default_error_message")} hint={t("failover.defaultHint")}>
      <SwitchInput
        label={t("failover.ownMessage")}
        hint={message.value ? undefined : t("failover.builtIn")}
        checked={message.value !== null}
        disabled={message.readOnly}
        onChange={(own) => message.set(own ? { text: t("template.errorMessage", { lng: draft.language.slice(0, 2) }), language: draft.language } : null)}
      />
      {message.value && (
        <div className="grid items-start gap-5 md:grid-cols-[2fr_1fr]">
          <TextField at={["default_error_message", "text"]} label={t("fields.spokenText")} hint={t("failover.literalHint")} rows={2} maxLength={MAX_SPOKEN_TEXT} required />
          <SelectField at={["default_error_message", "language"]} label={t("fields.spokenLanguage")} choices={languageChoices(i18n.language)} required />
        </div>
      )}
    </Section>
  );
}

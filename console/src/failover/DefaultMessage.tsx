import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { same } from "@/agent/differences";
import { MAX_SPOKEN_TEXT } from "@/agent/limits";
import { languageChoices } from "@/agents/choices";
import { useAgentEditor } from "@/agents/editor";
import { SelectField, TextField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { Section } from "@/ui/Layouts";
import { SwitchInput } from "@/ui/Inputs";
import { PlayMessage } from "./PlayMessage";

type Spoken = { text: string; language: string } | null;

/** The last resort, which can always be played. */
export function DefaultMessage() {
  const { t } = useTranslation();
  const { draft, failover } = useAgentEditor();
  const message = failover.draft.default_error_message;
  const saved = message === null || same(message, failover.live.default_error_message);
  return (
    <DefaultMessageSection language={draft.language} hint={t("failover.defaultHint")} own={t("failover.ownMessage")} builtIn={t("failover.builtIn")}>
      <PlayMessage
        which={message === null ? "installation_error_message" : "default_error_message"}
        unsaved={saved ? null : message}
        label={t(message === null ? "failover.listenBuiltIn" : "failover.listen")}
      />
    </DefaultMessageSection>
  );
}

interface DefaultMessageSectionProps {
  /** Of a new message. */
  language: string;
  hint: string;
  own: string;
  /** What is said without a message of one's own. */
  builtIn: string;
  children?: ReactNode;
}

/** The message at `default_error_message` of the document at hand: an agent, or the settings. */
export function DefaultMessageSection({ language, hint, own, builtIn, children }: DefaultMessageSectionProps) {
  const { t, i18n } = useTranslation();
  const message = useField<Spoken>("default_error_message");
  return (
    <Section title={t("fields.default_error_message")} hint={hint}>
      <SwitchInput
        label={own}
        hint={message.value ? undefined : builtIn}
        checked={message.value !== null}
        disabled={message.readOnly}
        onChange={(on) => message.set(on ? { text: t("template.errorMessage", { lng: language.slice(0, 2) }), language } : null)}
      />
      {message.value && (
        <div className="grid items-start gap-5 md:grid-cols-[2fr_1fr]">
          <TextField at={["default_error_message", "text"]} label={t("fields.spokenText")} hint={t("failover.literalHint")} rows={2} maxLength={MAX_SPOKEN_TEXT} required />
          <SelectField at={["default_error_message", "language"]} label={t("fields.spokenLanguage")} choices={languageChoices(i18n.language)} required />
        </div>
      )}
      {children}
    </Section>
  );
}

import { useTranslation } from "react-i18next";
import { SecretField, TextField } from "@/form/Fields";
import { Section } from "@/ui/Layouts";
import { MAX_URL } from "./document";
import { useWorkflowEditor } from "./editor";
import { PairRows } from "./PairRows";

/** One POST to an address of the person's own, and what comes back. */
export function WebhookFields() {
  const { t } = useTranslation();
  const { draft } = useWorkflowEditor();
  return (
    <Section title={t("workflows.kind.webhook")} hint={t(`workflows.webhookHint.${draft.trigger}`)}>
      <TextField at="url" label={t("fields.url")} hint={t("workflows.urlHint")} type="url" placeholder="https://example.com/hook" maxLength={MAX_URL} required mono />
      <PairRows at="headers" kind="header" />
      <SecretField at="secret" label={t("workflows.signingSecret")} hint={t("workflows.signingSecretHint")} />
    </Section>
  );
}

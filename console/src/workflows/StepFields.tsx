import { useTranslation } from "react-i18next";
import { NumberField, SelectField, TextField } from "@/form/Fields";
import { TemplateField } from "@/form/VariablePicker";
import { BranchFields } from "./BranchFields";
import { DELAY_SECONDS, HTTP_SECONDS, METHODS, RETRIES } from "./document";
import type { StepDraft } from "./draft";
import { PairRows } from "./PairRows";

/** What a step of each kind needs. */
export function StepFields({ step }: { step: StepDraft }) {
  const { t } = useTranslation();
  switch (step.type) {
    case "http":
      return <HttpFields id={step.id} method={step.method} />;
    case "set":
      return <PairRows at="values" kind="variable" />;
    case "branch":
      return <BranchFields step={step} />;
    case "delay":
      return <NumberField at="seconds" label={t("fields.seconds")} range={DELAY_SECONDS} unit="s" step={0.1} hint={t("workflows.delayHint")} />;
    case "return":
      return <TemplateField at="value" label={t("workflows.returnValue")} hint={t("workflows.returnHint")} rows={4} />;
  }
}

function HttpFields({ id, method }: { id: string; method: string }) {
  const { t } = useTranslation();
  return (
    <>
      <div className="grid gap-5 sm:grid-cols-[9rem_1fr]">
        <SelectField at="method" label={t("fields.method")} choices={METHODS.map((value) => ({ value, label: value }))} />
        <TemplateField at="url" label={t("fields.url")} hint={t("workflows.stepUrlHint")} placeholder="https://example.com/orders/{{ input.order_number }}" rows={1} required />
      </div>
      <PairRows at="headers" kind="header" />
      <PairRows at="query" kind="query" />
      <TemplateField at="body" label={t("fields.body")} hint={method === "GET" || method === "HEAD" ? t("workflows.noBodyHint") : t("workflows.bodyHint")} rows={3} required={false} />
      <div className="grid gap-5 md:grid-cols-3">
        <NumberField at="timeout_seconds" label={t("fields.timeout_seconds")} range={HTTP_SECONDS} unit="s" step={0.1} />
        <NumberField at="retries" label={t("fields.retries")} range={RETRIES} hint={t("workflows.retriesHint")} />
        <TextField at="expected_status" label={t("fields.expected_status")} hint={t("workflows.expectedHint")} placeholder="200, 404" required={false} />
      </div>
      <p className="text-sm text-ink-soft">{t("workflows.httpGives", { body: `steps.${id}.body`, status: `steps.${id}.status` })}</p>
    </>
  );
}

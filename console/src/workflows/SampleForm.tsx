import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { agentsQuery } from "@/api/queries";
import type { WorkflowSample } from "@/api/types";
import { FieldError } from "@/ui/Field";
import { SelectInput, SwitchInput, TextInput } from "@/ui/Inputs";
import type { InputField } from "./document";
import { useWorkflowEditor } from "./editor";
import { pretty } from "./json";
import { readObject, readSample, sampleFor, sampleText } from "./sample";

/** Told whether a part, by its label, holds JSON that does not read. */
export type TellBroken = (part: string, broken: boolean) => void;

/** What the call would bring: as a form, or all of it as JSON. */
export function SampleForm({ onBroken }: { onBroken: TellBroken }) {
  const { t } = useTranslation();
  const { draft, trying } = useWorkflowEditor();
  const [asJson, setAsJson] = useState(false);
  return (
    <div className="grid gap-4">
      <SwitchInput label={t("workflows.asJson")} checked={asJson} onChange={setAsJson} />
      {asJson ? (
        <JsonInput label={t("workflows.sample")} rows={16} shown={sampleText(sampleFor(draft, trying.sample))} onRead={(text) => readSample(text, trying.sample)} onChange={trying.setSample} onBroken={onBroken} />
      ) : (
        <SampleFields onBroken={onBroken} />
      )}
      {trying.refused && <FieldError text={trying.refused} />}
    </div>
  );
}

function SampleFields({ onBroken }: { onBroken: TellBroken }) {
  const { t } = useTranslation();
  const { draft, trying } = useWorkflowEditor();
  const { sample, setSample } = trying;
  const agents = useQuery(agentsQuery);
  const set = (change: Partial<WorkflowSample>) => setSample({ ...sample, ...change });
  return (
    <>
      {draft.input.filter(({ name }) => name).map((field) => (
        <InputValue key={field.name} field={field} value={sample.input[field.name]} onChange={(value) => set({ input: { ...sample.input, [field.name]: value } })} />
      ))}
      <TextInput label={t("workflows.samplePhone")} hint={t("workflows.samplePhoneHint")} value={sample.phone} onChange={(phone) => set({ phone })} maxLength={32} required={false} />
      <SelectInput label={t("fields.direction")} value={sample.direction} choices={["inbound", "outbound"].map((value) => ({ value, label: t(`values.${value}`) }))} onChange={(value) => set({ direction: value as WorkflowSample["direction"] })} />
      <SelectInput
        label={t("calls.column.agent")}
        value={sample.agent_id}
        choices={[{ value: "sample", label: t("workflows.sampleAgent") }, ...(agents.data ?? []).map((agent) => ({ value: agent.id, label: agent.name }))]}
        onChange={(agent_id) => set({ agent_id, agent: agent_id === "sample" ? {} : { ...sample.agent, name: agents.data?.find(({ id }) => id === agent_id)?.name ?? agent_id, language: sample.language } })}
      />
      <JsonInput label={t("workflows.sampleContext")} hint={t("workflows.sampleContextHint")} rows={3} shown={pretty(sample.context)} onRead={readObject} onChange={(context) => set({ context })} onBroken={onBroken} />
      {draft.trigger === "post_call" && <JsonInput label={t("workflows.sampleCall")} hint={t("workflows.sampleCallHint")} rows={6} shown={pretty(sample.call)} onRead={readObject} onChange={(call) => set({ call })} onBroken={onBroken} />}
    </>
  );
}

function InputValue({ field, value, onChange }: { field: InputField; value: unknown; onChange: (value: unknown) => void }) {
  const shared = { label: field.name, hint: field.description || undefined };
  if (field.type === "boolean") return <SwitchInput {...shared} checked={value === true} onChange={onChange} />;
  return <TextInput {...shared} value={typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value)} onChange={onChange} required={field.required} />;
}

interface JsonInputProps<T> {
  label: string;
  hint?: string;
  rows: number;
  shown: string;
  onRead: (text: string) => T | null;
  onChange: (value: T) => void;
  onBroken: TellBroken;
}

/** JSON as it is typed; it counts while it reads, and what was typed stays when it does not. */
function JsonInput<T>({ label, hint, rows, shown, onRead, onChange, onBroken }: JsonInputProps<T>) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState<string | null>(null);
  const broken = typed !== null && onRead(typed) === null;
  useEffect(() => {
    onBroken(label, broken);
    return () => onBroken(label, false);
  }, [onBroken, label, broken]);
  return (
    <TextInput
      label={label}
      hint={hint}
      rows={rows}
      mono
      value={typed ?? shown}
      error={broken ? t("errors.json") : undefined}
      onChange={(next) => {
        setTyped(next);
        const read = onRead(next);
        if (read !== null) onChange(read);
      }}
      onBlur={() => !broken && setTyped(null)}
    />
  );
}

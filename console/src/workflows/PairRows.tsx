import { Plus, Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { PartError, TextField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { TemplateField } from "@/form/VariablePicker";
import { Button, IconButton } from "@/ui/Button";
import type { Pair } from "./draft";

const EXAMPLES = { header: "X-Api-Key", query: "page", variable: "customer_name" } as const;

/** Rows of a name and a value that may hold variables: HTTP headers, parameters of an address, variables that are set. */
export function PairRows({ at, kind }: { at: string; kind: keyof typeof EXAMPLES }) {
  const { t } = useTranslation();
  const rows = useField<Pair[]>(at);
  return (
    <fieldset className="grid gap-3">
      <legend className="mb-1 text-sm font-semibold">{t(`workflows.rows.${kind}.title`)}</legend>
      {rows.value.length === 0 && <p className="text-sm text-ink-soft">{t(`workflows.rows.${kind}.none`)}</p>}
      {rows.value.map((_, index) => (
        <div key={index} className="relative grid items-start gap-3 rounded-control bg-surface p-3 ring-1 ring-line sm:grid-cols-[1fr_1.6fr_auto]">
          <div className="pr-10 sm:pr-0">
            <TextField at={[at, index, "name"]} label={t("fields.name")} placeholder={EXAMPLES[kind]} mono />
          </div>
          <TemplateField at={[at, index, "value"]} label={t("fields.value")} hint={kind === "variable" ? t("workflows.rows.variable.hint") : undefined} rows={1} />
          <IconButton
            icon={Trash2}
            label={t(`workflows.rows.${kind}.remove`, { number: index + 1 })}
            disabled={rows.readOnly}
            onClick={() => rows.set(rows.value.toSpliced(index, 1))}
            className="absolute top-2 right-2 sm:static sm:mt-6"
          />
        </div>
      ))}
      <PartError at={at} />
      <div>
        <Button small icon={Plus} disabled={rows.readOnly} onClick={() => rows.set([...rows.value, { name: "", value: "" }])}>
          {t(`workflows.rows.${kind}.add`)}
        </Button>
      </div>
    </fieldset>
  );
}

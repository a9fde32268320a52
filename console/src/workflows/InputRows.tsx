import { Plus, Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { PartError, SelectField, SwitchField, TextField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { Button, IconButton } from "@/ui/Button";
import { INPUT_TYPES, MAX_INPUT_DESCRIPTION, MAX_INPUTS, type InputField } from "./document";

/** The values that a workflow takes, each with its type. */
export function InputRows() {
  const { t } = useTranslation();
  const field = useField<InputField[]>("input");
  return (
    <div className="grid gap-3">
      {field.value.length === 0 && <p className="text-sm text-ink-soft">{t("workflows.noInput")}</p>}
      {field.value.map((_, index) => (
        <fieldset key={index} className="relative grid gap-4 rounded-control bg-surface p-3.5 ring-1 ring-line">
          <legend className="sr-only">{t("workflows.inputNumber", { number: index + 1 })}</legend>
          <div className="grid gap-4 pr-10 sm:grid-cols-[1fr_1fr_auto] sm:pr-0">
            <TextField at={["input", index, "name"]} label={t("fields.name")} hint={t("workflows.inputNameHint")} placeholder="order_number" mono />
            <SelectField at={["input", index, "type"]} label={t("fields.type")} choices={INPUT_TYPES.map((value) => ({ value, label: t(`valueTypes.${value}`) }))} />
            <IconButton icon={Trash2} label={t("workflows.removeInput", { number: index + 1 })} disabled={field.readOnly} onClick={() => field.set(field.value.toSpliced(index, 1))} className="absolute top-2 right-2 sm:static sm:mt-6" />
          </div>
          <TextField at={["input", index, "description"]} label={t("fields.description")} hint={t("workflows.inputDescriptionHint")} maxLength={MAX_INPUT_DESCRIPTION} required={false} />
          <SwitchField at={["input", index, "required"]} label={t("fields.required")} />
        </fieldset>
      ))}
      <PartError at="input" />
      <div>
        <Button small icon={Plus} disabled={field.readOnly || field.value.length >= MAX_INPUTS} onClick={() => field.set([...field.value, { name: "", type: "string", description: "", required: true }])}>
          {t("workflows.addInput")}
        </Button>
      </div>
    </div>
  );
}

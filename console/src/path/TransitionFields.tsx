import { Plus, Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { MAX_DESCRIPTION, MESSAGE_MODES, VALUE_TYPES } from "@/agent/limits";
import type { Transition } from "@/agent/schema";
import { FormScope, SelectField, SwitchField, TextField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { TemplateField } from "@/form/VariablePicker";
import { Button, IconButton } from "@/ui/Button";
import { TargetSelect } from "./TargetSelect";

/** A way out of a prompt step: when, where to, what is said on the way, and what is learnt. */
export function TransitionFields({ index, transition, onRemove }: { index: number; transition: Transition; onRemove: () => void }) {
  const { t } = useTranslation();
  const message = useField<Transition["message"]>("transitions", index, "message");
  const extract = useField<Transition["extract"]>("transitions", index, "extract");
  return (
    <FormScope at={["transitions", index]}>
      <div className="grid gap-4 rounded-control bg-surface p-3.5 ring-1 ring-line">
        <div className="flex items-start gap-2">
          <div className="min-w-0 flex-1">
            <TargetSelect at="to" label={t("fields.to")} />
          </div>
          <IconButton icon={Trash2} label={t("path.removeTransition", { name: transition.name })} disabled={message.readOnly} onClick={onRemove} className="mt-6" />
        </div>
        <TextField at="description" label={t("fields.transitionDescription")} hint={t("path.transitionHint")} rows={2} maxLength={MAX_DESCRIPTION} required />
        <TextField at="name" label={t("fields.transitionName")} hint={t("path.transitionNameHint")} maxLength={64} mono required />
        <SelectField
          at={["message", "mode"]}
          label={t("fields.message")}
          choices={MESSAGE_MODES.map((value) => ({ value, label: t(`messageModes.${value}`) }))}
          onChoose={(mode) => message.set({ mode: mode as Transition["message"]["mode"], text: mode === "text" ? (transition.message.text ?? "") : null })}
        />
        {transition.message.mode === "text" && <TemplateField at={["message", "text"]} label={t("fields.text")} rows={1} required />}
        <fieldset className="grid gap-3">
          <legend className="mb-1.5 text-sm font-semibold">{t("fields.extract")}</legend>
          {transition.extract.map((_, place) => (
            <FormScope key={place} at={["extract", place]}>
              <div className="grid gap-3 border-l-2 border-line pl-3">
                <div className="flex items-start gap-2">
                  <div className="min-w-0 flex-1">
                    <TextField at="name" label={t("fields.variable")} hint={place === 0 ? t("path.extractHint") : undefined} mono maxLength={64} />
                  </div>
                  <IconButton icon={Trash2} label={t("path.removeExtract", { number: place + 1 })} disabled={extract.readOnly} onClick={() => extract.set(transition.extract.toSpliced(place, 1))} className="mt-6" />
                </div>
                <TextField at="description" label={t("fields.description")} maxLength={MAX_DESCRIPTION} />
                <SelectField at="type" label={t("fields.type")} choices={VALUE_TYPES.map((value) => ({ value, label: t(`valueTypes.${value}`) }))} />
                <SwitchField at="required" label={t("fields.required")} />
              </div>
            </FormScope>
          ))}
          {!extract.readOnly && (
            <div>
              <Button small look="quiet" icon={Plus} onClick={() => extract.set([...transition.extract, { name: "", description: "", type: "string", required: true }])}>
                {t("path.addExtract")}
              </Button>
            </div>
          )}
        </fieldset>
      </div>
    </FormScope>
  );
}

import { Plus, Trash2 } from "lucide-react";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import { OPERATORS, OPERATORS_WITHOUT_VALUE } from "@/agent/limits";
import type { Branch, Step } from "@/agent/schema";
import { FormScope, SelectField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { useVariables } from "@/form/variables";
import { Button, IconButton } from "@/ui/Button";
import { TextInput } from "@/ui/Inputs";
import { readValue, withOperator } from "./edits";
import { TargetSelect } from "./TargetSelect";

/** Conditions in order; the first that holds decides. */
export function BranchFields({ step }: { step: Extract<Step, { type: "branch" }> }) {
  const { t } = useTranslation();
  const field = useField<Branch[]>("branches");
  return (
    <>
      <fieldset className="grid gap-3">
        <legend className="mb-2 text-sm font-semibold">{t("fields.branches")}</legend>
        <p className="text-sm text-ink-soft">{t("path.branchHint")}</p>
        {step.branches.map((branch, index) => (
          <BranchRow key={index} index={index} branch={branch} onRemove={step.branches.length > 1 ? () => field.set(step.branches.toSpliced(index, 1)) : undefined} />
        ))}
        {!field.readOnly && (
          <div>
            <Button small icon={Plus} onClick={() => field.set([...step.branches, { variable: "", operator: "equals", value: "", to: step.else }])}>
              {t("path.addBranch")}
            </Button>
          </div>
        )}
      </fieldset>
      <TargetSelect at="else" label={t("fields.else")} hint={t("path.elseHint")} />
    </>
  );
}

function BranchRow({ index, branch, onRemove }: { index: number; branch: Branch; onRemove: (() => void) | undefined }) {
  const { t } = useTranslation();
  const known = useVariables();
  const list = useId();
  const self = useField<Branch>("branches", index);
  const variable = useField<string>("branches", index, "variable");
  const value = useField<Branch["value"]>("branches", index, "value");
  return (
    <FormScope at={["branches", index]}>
      <div className="grid gap-3 rounded-control bg-surface p-3.5 ring-1 ring-line">
        <div className="flex items-start gap-2">
          <div className="flex-1">
            <TextInput label={t("fields.variable")} value={variable.value} onChange={variable.set} onBlur={variable.touch} error={variable.error} disabled={variable.readOnly} list={list} mono />
            <datalist id={list}>
              {[...known.values, ...known.steps, ...known.system].map((name) => (
                <option key={name} value={name} />
              ))}
            </datalist>
          </div>
          {onRemove && <IconButton icon={Trash2} label={t("path.removeBranch", { number: index + 1 })} disabled={self.readOnly} onClick={onRemove} className="mt-6" />}
        </div>
        <SelectField at="operator" label={t("fields.operator")} choices={OPERATORS.map((name) => ({ value: name, label: t(`operators.${name}`) }))} onChoose={(operator) => self.set(withOperator(branch, operator as Branch["operator"]))} />
        {!OPERATORS_WITHOUT_VALUE.includes(branch.operator) && (
          <TextInput label={t("fields.value")} value={String(branch.value ?? "")} onChange={(typed) => value.set(readValue(typed))} onBlur={value.touch} error={value.error} disabled={value.readOnly} />
        )}
        <TargetSelect at="to" label={t("fields.to")} />
      </div>
    </FormScope>
  );
}

import { Plus, Trash2 } from "lucide-react";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import { OPERATORS, OPERATORS_WITHOUT_VALUE } from "@/agent/limits";
import { FormScope, PartError, SelectField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { useVariables } from "@/form/variables";
import { readValue } from "@/path/edits";
import { Button, IconButton } from "@/ui/Button";
import { TextInput } from "@/ui/Inputs";
import { MAX_BRANCHES, type Condition } from "./document";
import type { BranchArm, BranchDraft } from "./draft";
import { StepList } from "./StepList";

/** Conditions in order, each with the steps that run when it is the first that holds. */
export function BranchFields({ step }: { step: BranchDraft }) {
  const { t } = useTranslation();
  const arms = useField<BranchArm[]>("branches");
  return (
    <div className="grid gap-4">
      <p className="text-sm text-ink-soft">{t("workflows.branchHint")}</p>
      {step.branches.map((arm, index) => (
        <Arm key={index} arm={arm} index={index} onRemove={step.branches.length > 1 ? () => arms.set(step.branches.toSpliced(index, 1)) : undefined} />
      ))}
      <PartError at="branches" />
      {!arms.readOnly && (
        <div>
          <Button small icon={Plus} disabled={step.branches.length >= MAX_BRANCHES} onClick={() => arms.set([...step.branches, { variable: "", operator: "equals", value: "", steps: [] }])}>
            {t("workflows.addBranch")}
          </Button>
        </div>
      )}
      <fieldset className="min-w-0 rounded-card border-l-4 border-plum/40 bg-surface p-3 sm:p-4">
        <legend className="sr-only">{t("fields.else")}</legend>
        <p aria-hidden className="mb-3 text-sm font-semibold">
          {t("fields.else")}
        </p>
        <StepList at="else" label={t("fields.else")} />
      </fieldset>
    </div>
  );
}

function Arm({ arm, index, onRemove }: { arm: BranchArm; index: number; onRemove: (() => void) | undefined }) {
  const { t } = useTranslation();
  const known = useVariables();
  const list = useId();
  const self = useField<BranchArm>("branches", index);
  const variable = useField<string>("branches", index, "variable");
  const value = useField<Condition["value"]>("branches", index, "value");
  const title = t("workflows.condition", { number: index + 1 });
  const bare = OPERATORS_WITHOUT_VALUE.includes(arm.operator);
  return (
    <FormScope at={["branches", index]}>
      <fieldset className="relative grid min-w-0 gap-3 rounded-card border-l-4 border-plum bg-surface p-3 sm:p-4">
        <legend className="sr-only">{title}</legend>
        <p aria-hidden className="text-sm font-semibold">
          {title}
        </p>
        {onRemove && <IconButton icon={Trash2} label={t("workflows.removeBranch", { number: index + 1 })} disabled={self.readOnly} onClick={onRemove} className="absolute top-2 right-2" />}
        <div className="grid gap-3 md:grid-cols-[1.4fr_1fr_1fr]">
          <div>
            <TextInput label={t("fields.variable")} value={variable.value} onChange={variable.set} onBlur={variable.touch} error={variable.error} disabled={variable.readOnly} list={list} mono placeholder="steps.find.status" />
            <datalist id={list}>
              {[...known.steps, ...known.values, ...known.system].map((name) => (
                <option key={name} value={name} />
              ))}
            </datalist>
          </div>
          <SelectField
            at="operator"
            label={t("fields.operator")}
            choices={OPERATORS.map((name) => ({ value: name, label: t(`operators.${name}`) }))}
            onChoose={(operator) => self.set({ ...arm, operator: operator as Condition["operator"], value: OPERATORS_WITHOUT_VALUE.includes(operator) ? null : (arm.value ?? "") })}
          />
          {!bare && <TextInput label={t("fields.value")} value={String(arm.value ?? "")} onChange={(typed) => value.set(readValue(typed))} onBlur={value.touch} error={value.error} disabled={value.readOnly} />}
        </div>
        <StepList at="steps" label={title} />
      </fieldset>
    </FormScope>
  );
}

/** Controls tied to a place of the document that the nearest form edits. */
import { useContext, useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Range } from "@/agent/limits";
import { KEPT } from "@/agent/limits";
import { NumberInput, SelectInput, SwitchInput, TextInput, type Choice } from "@/ui/Inputs";
import { Button } from "@/ui/Button";
import { Field, FieldError } from "@/ui/Field";
import { FormContext, useField } from "./FormContext";
import { limitsText } from "./limitsText";
import type { Segment } from "./paths";

/** Everything inside is about a part of the document. */
export function FormScope({ at, children }: { at: readonly Segment[]; children: ReactNode }) {
  const form = useContext(FormContext);
  const place = at.join("\u0000");
  // eslint-disable-next-line react-hooks/exhaustive-deps -- `at` is compared by what it holds
  const scoped = useMemo(() => ({ ...form, base: [...form.base, ...at] }), [form, place]);
  return <FormContext value={scoped}>{children}</FormContext>;
}

type At = Segment | readonly Segment[];
const list = (at: At): Segment[] => (Array.isArray(at) ? [...(at as readonly Segment[])] : [at as Segment]);

interface BoundProps {
  at: At;
  label: string;
  hint?: ReactNode;
  hideLabel?: boolean;
}

interface TextFieldProps extends BoundProps {
  rows?: number;
  maxLength?: number;
  required?: boolean;
  placeholder?: string;
  /** Empty text is stored as null. */
  nullable?: boolean;
  mono?: boolean;
  type?: "text" | "url";
}

export function TextField({ at, nullable, required, ...rest }: TextFieldProps) {
  const field = useField<string | null>(...list(at));
  return (
    <TextInput
      {...rest}
      required={nullable ? false : required}
      value={field.value ?? ""}
      onChange={(text) => field.set(nullable && text === "" ? null : text)}
      onBlur={field.touch}
      error={field.error}
      disabled={field.readOnly}
    />
  );
}

interface NumberFieldProps extends BoundProps {
  range: Range;
  unit?: string;
  step?: number;
}

export function NumberField({ at, range, unit, ...rest }: NumberFieldProps) {
  const { t } = useTranslation();
  const field = useField<number>(...list(at));
  return (
    <NumberInput
      {...rest}
      value={field.value}
      onChange={(value) => {
        field.touch();
        field.set(value);
      }}
      onBlur={field.touch}
      min={range.min}
      max={range.max}
      unit={unit}
      limits={limitsText(t, range, unit)}
      error={field.error}
      disabled={field.readOnly}
    />
  );
}

interface SelectFieldProps extends BoundProps {
  choices: readonly Choice[];
  empty?: string;
  nullable?: boolean;
  required?: boolean;
  /** Called with the value chosen, in place of storing it. */
  onChoose?: (value: string) => void;
}

export function SelectField({ at, choices, empty, nullable, required, onChoose, ...rest }: SelectFieldProps) {
  const field = useField<string | null>(...list(at));
  return (
    <SelectInput
      {...rest}
      choices={choices}
      empty={empty}
      required={nullable ? false : required}
      value={field.value ?? ""}
      onChange={(value) => {
        field.touch();
        if (onChoose) onChoose(value);
        else field.set(nullable && value === "" ? null : value);
      }}
      error={field.error}
      disabled={field.readOnly}
    />
  );
}

export function SwitchField({ at, label, hint }: BoundProps) {
  const field = useField<boolean>(...list(at));
  return <SwitchInput label={label} hint={hint} checked={field.value ?? false} onChange={field.set} error={field.error} disabled={field.readOnly} />;
}

/** A secret: what is stored is never shown, and stays unless another one is typed. */
export function SecretField({ at, label, hint }: BoundProps) {
  const { t } = useTranslation();
  const field = useField<string | null>(...list(at));
  if (field.value === KEPT)
    return (
      <Field label={label} hint={hint} error={field.error}>
        {(parts) => (
          <div className="flex items-center gap-3">
            <input {...parts} readOnly className="control" value={t("form.secretStored")} />
            <Button small disabled={field.readOnly} onClick={() => field.set("")}>
              {t("form.secretReplace")}
            </Button>
          </div>
        )}
      </Field>
    );
  return (
    <TextInput
      label={label}
      hint={hint}
      type="password"
      autoComplete="new-password"
      value={field.value ?? ""}
      onChange={(text) => field.set(text === "" ? null : text)}
      onBlur={field.touch}
      error={field.error}
      disabled={field.readOnly}
      required={false}
    />
  );
}

/** What is wrong with a whole part, where no single control stands for it. */
export function PartError({ at }: { at: At }) {
  const field = useField<unknown>(...list(at));
  return field.error ? <FieldError text={field.error} /> : null;
}

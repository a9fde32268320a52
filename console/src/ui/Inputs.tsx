import { useState, type KeyboardEvent, type ReactNode } from "react";
import { Switch as RadixSwitch } from "radix-ui";
import { Field } from "./Field";
import { classes } from "./classes";

interface Common {
  label: string;
  hint?: ReactNode;
  error?: string;
  required?: boolean;
  disabled?: boolean;
  hideLabel?: boolean;
}

interface TextInputProps extends Common {
  value: string;
  onChange: (value: string) => void;
  onBlur?: () => void;
  onKeyDown?: (event: KeyboardEvent) => void;
  rows?: number;
  maxLength?: number;
  placeholder?: string;
  type?: "text" | "password" | "url" | "date" | "time" | "datetime-local" | "search" | "tel";
  autoComplete?: string;
  mono?: boolean;
  list?: string;
}

export function TextInput({ value, onChange, onBlur, onKeyDown, rows, maxLength, placeholder, type = "text", autoComplete = "off", mono, list, disabled, ...field }: TextInputProps) {
  const near = maxLength !== undefined && maxLength <= 5000 && value.length > maxLength * 0.8;
  const limits = near ? `${value.length} / ${maxLength}` : undefined;
  const shared = { value, placeholder, disabled, onBlur, onKeyDown, className: classes("control", mono && "font-mono text-sm") };
  return (
    <Field {...field} limits={limits}>
      {(parts) =>
        rows ? (
          <textarea {...parts} {...shared} rows={rows} onChange={(event) => onChange(event.target.value)} className={classes(shared.className, "field-sizing-content max-h-96")} style={{ minHeight: `${rows * 1.5 + 1.1}em` }} />
        ) : (
          <input {...parts} {...shared} type={type} list={list} autoComplete={autoComplete} onChange={(event) => onChange(event.target.value)} />
        )
      }
    </Field>
  );
}

interface NumberInputProps extends Common {
  value: number;
  onChange: (value: number) => void;
  onBlur?: () => void;
  min: number;
  max: number;
  step?: number;
  unit?: string;
  limits?: string;
}

/** A number; what is typed is kept as typed until it is one, so that nothing is corrected under the person's fingers. */
export function NumberInput({ value, onChange, onBlur, min, max, step = 1, unit, disabled, limits, ...field }: NumberInputProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const shown = typed ?? (Number.isNaN(value) ? "" : String(value));
  return (
    <Field {...field} limits={limits}>
      {(parts) => (
        <div className="flex items-center gap-2">
          <input
            {...parts}
            type="number"
            inputMode={step < 1 ? "decimal" : "numeric"}
            className="control numbers max-w-32"
            value={shown}
            min={min}
            max={max}
            step={step}
            disabled={disabled}
            onChange={(event) => {
              setTyped(event.target.value);
              onChange(event.target.value === "" ? Number.NaN : Number(event.target.value));
            }}
            onBlur={() => {
              setTyped(null);
              onBlur?.();
            }}
          />
          {unit && <span className="text-sm text-ink-soft">{unit}</span>}
        </div>
      )}
    </Field>
  );
}

export interface Choice {
  value: string;
  label: string;
  disabled?: boolean;
}

interface SelectInputProps extends Common {
  value: string;
  onChange: (value: string) => void;
  choices: readonly Choice[];
  /** Shown for the empty value, when there is one. */
  empty?: string;
}

export function SelectInput({ value, onChange, choices, empty, disabled, ...field }: SelectInputProps) {
  const unknown = value !== "" && !choices.some((choice) => choice.value === value);
  return (
    <Field {...field}>
      {(parts) => (
        <select {...parts} className="control" value={value} disabled={disabled} onChange={(event) => onChange(event.target.value)}>
          {empty !== undefined && <option value="">{empty}</option>}
          {unknown && <option value={value}>{value}</option>}
          {choices.map((choice) => (
            <option key={choice.value} value={choice.value} disabled={choice.disabled}>
              {choice.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface SwitchInputProps {
  label: string;
  hint?: ReactNode;
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
  error?: string;
}

export function SwitchInput({ label, hint, checked, onChange, disabled, error }: SwitchInputProps) {
  return (
    <Field label={label} hint={hint} error={error} hideLabel>
      {(parts) => (
        <div className="flex items-center gap-3">
          <RadixSwitch.Root
            id={parts.id}
            aria-describedby={parts["aria-describedby"]}
            checked={checked}
            disabled={disabled}
            onCheckedChange={onChange}
            className="relative h-6 w-11 shrink-0 rounded-full bg-line-strong transition-colors data-[state=checked]:bg-brand disabled:opacity-60"
          >
            <RadixSwitch.Thumb className="block size-5 translate-x-0.5 rounded-full bg-white shadow transition-transform data-[state=checked]:translate-x-[1.35rem]" />
          </RadixSwitch.Root>
          <span aria-hidden className={classes("font-semibold", disabled && "text-ink-soft")}>
            {label}
          </span>
        </div>
      )}
    </Field>
  );
}

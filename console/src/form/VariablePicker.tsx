import { useMemo, useRef } from "react";
import { Braces } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { useTranslation } from "react-i18next";
import { useField } from "./FormContext";
import { useVariables } from "./variables";
import type { Segment } from "./paths";
import { Field } from "@/ui/Field";
import { classes } from "@/ui/classes";

interface TemplateFieldProps {
  at: Segment | readonly Segment[];
  label: string;
  hint?: string;
  rows?: number;
  nullable?: boolean;
  required?: boolean;
  placeholder?: string;
}

/** A text in which variables of the call can be put; the picker writes them where the cursor is. */
export function TemplateField({ at, label, hint, rows = 3, nullable, required, placeholder }: TemplateFieldProps) {
  const { t } = useTranslation();
  const field = useField<string | null>(...(Array.isArray(at) ? (at as Segment[]) : [at as Segment]));
  const area = useRef<HTMLTextAreaElement & HTMLInputElement>(null);
  const value = field.value ?? "";
  const store = (text: string) => field.set(nullable && text === "" ? null : text);

  function insert(name: string) {
    const node = area.current;
    const start = node?.selectionStart ?? value.length;
    const end = node?.selectionEnd ?? value.length;
    const written = `{{ ${name} }}`;
    store(value.slice(0, start) + written + value.slice(end));
    requestAnimationFrame(() => {
      node?.focus();
      node?.setSelectionRange(start + written.length, start + written.length);
    });
  }

  return (
    <Field label={label} hint={hint} error={field.error} required={nullable ? false : required}>
      {(parts) => {
        const shared = { ...parts, value, placeholder, ref: area, disabled: field.readOnly, onBlur: field.touch };
        return (
          <div className="relative">
            {rows > 1 ? (
              <textarea {...shared} rows={rows} onChange={(event) => store(event.target.value)} className="control field-sizing-content max-h-[28rem] pr-12" style={{ minHeight: `${rows * 1.5 + 1.1}em` }} />
            ) : (
              <input {...shared} onChange={(event) => store(event.target.value)} className="control pr-12" />
            )}
            {!field.readOnly && <VariableMenu label={t("form.insertVariable", { field: label })} onPick={insert} />}
          </div>
        );
      }}
    </Field>
  );
}

function VariableMenu({ label, onPick }: { label: string; onPick: (name: string) => void }) {
  const { t } = useTranslation();
  const variables = useVariables();
  const groups = useMemo(() => (Object.entries(variables) as [string, readonly string[]][]).filter(([, names]) => names.length > 0), [variables]);
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger asChild>
        <button type="button" aria-label={label} title={label} className="absolute top-1.5 right-1.5 grid size-8 place-items-center rounded-control text-ink-soft hover:bg-brand-wash hover:text-brand-strong">
          <Braces aria-hidden className="size-4" />
        </button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align="end" sideOffset={4} className="z-60 max-h-80 w-72 overflow-y-auto rounded-card border border-line bg-raised p-1.5 shadow-float" onCloseAutoFocus={(event) => event.preventDefault()}>
          {groups.map(([group, names]) => (
            <DropdownMenu.Group key={group}>
              <DropdownMenu.Label className="eyebrow px-2.5 pt-2 pb-1">{t(`variables.group.${group}`)}</DropdownMenu.Label>
              {names.map((name) => (
                <DropdownMenu.Item key={name} onSelect={() => onPick(name)} className={classes("flex cursor-pointer items-baseline justify-between gap-3 rounded-control px-2.5 py-1.5 outline-none data-highlighted:bg-brand-wash")}>
                  <code className="text-sm break-all">{name}</code>
                  {group === "system" && <span className="text-right text-xs text-ink-soft">{t(`variables.${name.replaceAll(".", "_")}`)}</span>}
                </DropdownMenu.Item>
              ))}
            </DropdownMenu.Group>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

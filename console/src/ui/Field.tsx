import { useId, type ReactNode } from "react";
import { CircleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";

export interface FieldParts {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": boolean | undefined;
  "aria-required": boolean | undefined;
}

interface FieldProps {
  label: string;
  hint?: ReactNode;
  error?: string;
  required?: boolean;
  /** Bounds and default, as words. */
  limits?: string;
  hideLabel?: boolean;
  children: (parts: FieldParts) => ReactNode;
}

/** A label, what helps to fill the field in, and what is wrong with it, tied to the control they are about. */
export function Field({ label, hint, error, required, limits, hideLabel, children }: FieldProps) {
  const id = useId();
  const { t } = useTranslation();
  const help = hint || limits;
  const described = [help ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <div className="grid content-start gap-1.5">
      <label htmlFor={id} className={hideLabel ? "sr-only" : "text-sm font-semibold"}>
        {label}
        {required === false && " "}
        {required === false && <span className="font-normal text-ink-faint">{t("ui.optional")}</span>}
      </label>
      {children({ id, "aria-describedby": described || undefined, "aria-invalid": error ? true : undefined, "aria-required": required || undefined })}
      {help && (
        <p id={`${id}-hint`} className="text-sm text-ink-soft">
          {hint}
          {hint && limits ? " " : ""}
          {limits && <span className="numbers text-ink-faint">{limits}</span>}
        </p>
      )}
      {error && <FieldError id={`${id}-error`} text={error} />}
    </div>
  );
}

export function FieldError({ id, text }: { id?: string; text: string }) {
  return (
    <p id={id} className="flex items-start gap-1.5 text-sm font-medium text-alarm">
      <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
      {text}
    </p>
  );
}

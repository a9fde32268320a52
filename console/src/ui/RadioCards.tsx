import { useId } from "react";
import type { LucideIcon } from "lucide-react";
import { classes } from "./classes";

export interface RadioCard {
  value: string;
  label: string;
  hint?: string;
  icon?: LucideIcon;
}

interface RadioCardsProps {
  legend: string;
  value: string;
  onChange: (value: string) => void;
  cards: readonly RadioCard[];
  disabled?: boolean;
  hideLegend?: boolean;
  columns?: "two" | "three";
}

/** One of a few choices that each deserve a sentence. */
export function RadioCards({ legend, value, onChange, cards, disabled, hideLegend, columns = "three" }: RadioCardsProps) {
  const name = useId();
  return (
    <fieldset className="grid gap-2" disabled={disabled}>
      <legend className={hideLegend ? "sr-only" : "mb-1.5 text-sm font-semibold"}>{legend}</legend>
      <div className={classes("grid gap-3", columns === "three" ? "md:grid-cols-3" : "sm:grid-cols-2")}>
        {cards.map(({ value: own, label, hint, icon: Icon }) => (
          <label
            key={own}
            className={classes(
              "flex cursor-pointer items-start gap-3 rounded-card border p-3.5 transition-colors has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-brand",
              own === value ? "border-brand bg-brand-wash" : "border-line bg-raised hover:border-brand",
            )}
          >
            <input type="radio" name={name} value={own} checked={own === value} onChange={() => onChange(own)} className="mt-1 size-4 shrink-0 accent-brand" />
            <span className="grid gap-0.5">
              <span className="flex items-center gap-2 font-semibold">
                {Icon && <Icon aria-hidden className="size-4 text-brand" />}
                {label}
              </span>
              {hint && <span className="text-sm text-ink-soft">{hint}</span>}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

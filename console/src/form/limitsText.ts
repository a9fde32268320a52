import type { Range } from "@/agent/limits";
import i18n, { type Translate } from "@/i18n";

/** Bounds and default of a number, as words: "Min 5 s, max 45 s, default 20 s". */
export function limitsText(t: Translate, range: Range, unit?: string): string {
  const format = new Intl.NumberFormat(i18n.language);
  const shown = (value: number) => format.format(value) + (unit ? `\u00a0${unit}` : "");
  return t("form.limits", { min: shown(range.min), max: shown(range.max), default: shown(range.default) });
}

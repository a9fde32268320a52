import type { Language } from "@/i18n";

/** A language in the console's own, as in "Français (France)". */
export function languageName(shownIn: string, tag: string): string {
  const name = new Intl.DisplayNames([shownIn], { type: "language" }).of(tag) ?? tag;
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** What a new data source starts with, by the console's language. */
export const FIRST_LANGUAGE: Record<Language, string> = { fr: "fr-FR", en: "en-GB" };

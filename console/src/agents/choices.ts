/** Languages and time zones to choose from. */
import type { Choice } from "@/ui/Inputs";

const LANGUAGE_TAGS = ["fr-FR", "fr-BE", "fr-CA", "fr-CH", "en-GB", "en-US", "en-AU", "en-CA", "en-IE", "de-DE", "de-AT", "de-CH", "es-ES", "es-MX", "it-IT", "pt-PT", "pt-BR", "nl-NL", "nl-BE", "pl-PL", "sv-SE", "da-DK", "nb-NO", "fi-FI", "cs-CZ", "ro-RO", "hu-HU", "el-GR", "tr-TR", "uk-UA", "ar-MA", "he-IL", "ja-JP", "ko-KR", "zh-CN"];

export function languageChoices(shownIn: string): Choice[] {
  const names = new Intl.DisplayNames([shownIn], { type: "language" });
  const order = new Intl.Collator(shownIn);
  return LANGUAGE_TAGS.map((value) => {
    const name = names.of(value) ?? value;
    return { value, label: name.charAt(0).toUpperCase() + name.slice(1) };
  }).sort((one, other) => order.compare(one.label, other.label));
}

export function timezoneChoices(current: string): Choice[] {
  const zones = Intl.supportedValuesOf("timeZone");
  return (zones.includes(current) ? zones : [current, ...zones]).map((value) => ({ value, label: value.replaceAll("_", " ") }));
}

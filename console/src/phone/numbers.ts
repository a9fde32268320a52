/** Numbers as a person types them, and as they are stored (E.164). Whether one exists is for the server to say. */
import rows from "./countries.json";

export interface Country {
  code: string;
  callingCode: string;
  /** What is dialled before a national number, and is no part of it abroad: 0 in France, nothing in Italy. */
  nationalPrefix: string;
  example: string;
}

export const COUNTRIES: readonly Country[] = rows.map(([code = "", callingCode = "", nationalPrefix = "", example = ""]) => ({ code, callingCode, nationalPrefix, example }));
const BY_CODE = new Map(COUNTRIES.map((country) => [country.code, country]));
/** Of the regions that share a calling code, the one that it is known for. */
const MAIN: Record<string, string> = { "1": "US", "7": "RU", "39": "IT", "44": "GB", "47": "NO", "61": "AU", "212": "MA", "262": "RE", "290": "SH", "358": "FI", "500": "FK", "590": "GP", "599": "CW" };

export function countryOf(code: string): Country | undefined {
  return BY_CODE.get(code);
}

/** E.164 of what was typed: international as it is, national with the country's calling code. Null when it holds no number. */
export function toE164(typed: string, countryCode: string): string | null {
  const compact = typed.replace(/[\s().\-/\u00a0\u202f]/g, "").replace(/^00/, "+");
  if (/^\+\d{5,15}$/.test(compact)) return compact;
  const country = BY_CODE.get(countryCode);
  if (!country || !/^\d{3,15}$/.test(compact)) return null;
  const prefix = country.nationalPrefix;
  const national = prefix && compact.startsWith(prefix) && compact.length > 5 ? compact.slice(prefix.length) : compact;
  return `+${country.callingCode}${national}`;
}

/** The country and national part of an E.164 number, to be edited. */
export function split(phone: string, fallback: string): { country: string; national: string } {
  if (!phone.startsWith("+")) return { country: fallback, national: phone };
  const digits = phone.slice(1);
  for (const length of [3, 2, 1]) {
    const callingCode = digits.slice(0, length);
    const sharing = COUNTRIES.filter((country) => country.callingCode === callingCode);
    const chosen = sharing.find((country) => country.code === fallback) ?? sharing.find((country) => country.code === MAIN[callingCode]) ?? sharing[0];
    if (chosen) return { country: chosen.code, national: `${chosen.nationalPrefix === "0" ? "0" : ""}${digits.slice(length)}` };
  }
  return { country: fallback, national: phone };
}

/** A number with spaces, made to be read. */
export function spaced(phone: string): string {
  if (!phone.startsWith("+")) return phone;
  const { country } = split(phone, "");
  const callingCode = BY_CODE.get(country)?.callingCode ?? "";
  const rest = phone.slice(1 + callingCode.length);
  const groups = rest.length % 2 ? [rest.slice(0, 1), ...(rest.slice(1).match(/../g) ?? [])] : (rest.match(/../g) ?? []);
  return `+${callingCode} ${callingCode === "1" ? rest.replace(/^(\d{3})(\d{3})/, "$1 $2 ") : groups.join(" ")}`.trim();
}

export function countryNames(language: string): { code: string; name: string; callingCode: string }[] {
  const names = new Intl.DisplayNames([language], { type: "region" });
  const order = new Intl.Collator(language);
  return COUNTRIES.map(({ code, callingCode }) => ({ code, callingCode, name: names.of(code) ?? code })).sort((one, other) => order.compare(one.name, other.name));
}

/** The country to offer first: the agent's language's. */
export function countryOfLanguage(tag: string): string {
  const region = tag.split("-").find((part) => /^[A-Z]{2}$/.test(part));
  return region ?? ({ fr: "FR", en: "GB", de: "DE", es: "ES", it: "IT", nl: "NL", pt: "PT" } as Record<string, string>)[tag] ?? "FR";
}

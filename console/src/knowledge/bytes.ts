import i18n, { type Translate } from "@/i18n";

const UNITS = ["bytes", "kilobytes", "megabytes"] as const;

/** A size as people say it: "820 bytes", "1.4 MB". */
export function bytesText(t: Translate, bytes: number): string {
  const step = bytes < 1000 ? 0 : bytes < 999_500 ? 1 : 2;
  const number = new Intl.NumberFormat(i18n.language, { maximumFractionDigits: step === 2 ? 1 : 0 });
  return t(`knowledge.size.${UNITS[step] ?? "bytes"}`, { number: number.format(bytes / 1000 ** step) });
}

import { useMemo } from "react";
import { useTranslation } from "react-i18next";

/** Dates and durations in the language of the console. */
export function useFormats() {
  const { i18n } = useTranslation();
  return useMemo(() => formats(i18n.language), [i18n.language]);
}

/** In the region that the browser asks for, when that speaks the language. */
export function formats(shown: string) {
  const language = navigator.languages.find((tag) => tag.startsWith(shown)) ?? shown;
  const dateTime = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const time = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const date = new Intl.DateTimeFormat(language, { dateStyle: "full", timeZone: "UTC" });
  const number = new Intl.NumberFormat(language);
  return {
    dateTime: (value: string) => dateTime.format(new Date(value)),
    time: (value: string) => time.format(new Date(value)),
    /** Of a date without a time, as in 2026-12-25. */
    day: (value: string) => date.format(new Date(`${value}T00:00:00Z`)),
    number: (value: number) => number.format(value),
    /** Minutes and seconds. */
    duration: (milliseconds: number) => {
      const seconds = Math.max(0, Math.round(milliseconds / 1000));
      const minutes = Math.floor(seconds / 60);
      return minutes ? `${number.format(minutes)} min ${String(seconds % 60).padStart(2, "0")} s` : `${seconds} s`;
    },
  };
}

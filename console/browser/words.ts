/** What the console says, for tests that read it in both languages. */
import { createInstance, type TFunction } from "i18next";
import { en } from "@/i18n/en/index";
import { fr } from "@/i18n/fr/index";

const both = createInstance({ resources: { fr: { translation: fr }, en: { translation: en } }, fallbackLng: "en", interpolation: { escapeValue: false }, initAsync: false });
void both.init();

/** A text by its key, as a person reads it. */
export const words = (language: "fr" | "en"): TFunction => both.getFixedT(language);

/** The same as the beginning of what is shown. */
export const starts = (text: string): RegExp => new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`);

import { useTranslation } from "react-i18next";
import { chooseLanguage, LANGUAGES } from "@/i18n";

/** The languages by their own names, on the dark ground of the navigation. */
export function LanguageSwitch() {
  const { t, i18n } = useTranslation();
  return (
    <div role="group" aria-label={t("nav.language")} className="flex gap-1 rounded-control bg-black/20 p-1">
      {LANGUAGES.map((language) => (
        <button
          key={language}
          type="button"
          lang={language}
          aria-pressed={i18n.language === language}
          onClick={() => chooseLanguage(language)}
          className="min-h-8 flex-1 rounded-[0.4rem] px-2 text-[#c8ddd6] hover:text-white aria-pressed:bg-[#e4f0ec] aria-pressed:font-semibold aria-pressed:text-pine"
        >
          {t(`languages.${language}`, { lng: language })}
        </button>
      ))}
    </div>
  );
}

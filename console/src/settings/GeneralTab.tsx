import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { languageChoices, timezoneChoices } from "@/agents/choices";
import { connectionsQuery } from "@/api/queries";
import { SelectField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { countryNames } from "@/phone/numbers";
import { Section } from "@/ui/Layouts";
import { DEFAULT_LANGUAGE, DEFAULT_TIMEZONE } from "./schema";

/** Where the installation is, and the line that calls go out by. */
export function GeneralTab() {
  const { t, i18n } = useTranslation();
  const connections = useQuery(connectionsQuery);
  const timezone = useField<string>("default_timezone");
  const languages = useMemo(() => languageChoices(i18n.language), [i18n.language]);
  const countries = useMemo(() => countryNames(i18n.language).map(({ code, name, callingCode }) => ({ value: code, label: `${name} (+${callingCode})` })), [i18n.language]);
  const usual = (value: string) => t("settings.usual", { value });
  return (
    <>
      <Section title={t("settings.place")} hint={t("settings.placeHint")}>
        <div className="grid gap-5 md:grid-cols-2">
          <SelectField at="default_language" label={t("fields.default_language")} choices={languages} hint={`${t("settings.languageHint")} ${usual(languages.find(({ value }) => value === DEFAULT_LANGUAGE)?.label ?? DEFAULT_LANGUAGE)}`} />
          <SelectField at="default_timezone" label={t("fields.default_timezone")} choices={timezoneChoices(timezone.value)} hint={`${t("settings.timezoneHint")} ${usual(DEFAULT_TIMEZONE)}`} />
          <SelectField at="default_country" label={t("fields.default_country")} choices={countries} nullable empty={t("settings.noCountry")} hint={`${t("settings.countryHint")} ${usual(t("settings.none"))}`} />
        </div>
      </Section>
      <Section title={t("settings.outbound")} hint={t("settings.outboundHint")}>
        <div className="grid gap-5 md:grid-cols-2">
          <SelectField
            at="outbound_connection_id"
            label={t("fields.outbound_connection_id")}
            nullable
            empty={t("settings.noConnection")}
            choices={(connections.data ?? []).map((item) => ({ value: item.id, label: item.document.name }))}
            hint={`${t("settings.connectionHint")} ${usual(t("settings.noneConnection"))}`}
          />
        </div>
      </Section>
    </>
  );
}

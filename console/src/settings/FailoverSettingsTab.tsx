import { useTranslation } from "react-i18next";
import { useField } from "@/form/FormContext";
import { DefaultMessageSection } from "@/failover/DefaultMessage";
import { InstallationSwitch } from "@/failover/InstallationSwitch";
import { useStoredSettings } from "./useSettingsState";

/** Whether agents fail over at all, and what callers hear when even that fails. */
export function FailoverSettingsTab() {
  const { t } = useTranslation();
  const stored = useStoredSettings();
  const language = useField<string>("default_language");
  return (
    <>
      <InstallationSwitch settings={stored} />
      <DefaultMessageSection language={language.value} hint={t("settings.defaultMessageHint")} own={t("settings.ownMessage")} builtIn={t("settings.builtInMessage")} />
    </>
  );
}

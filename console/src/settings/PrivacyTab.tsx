import { useTranslation } from "react-i18next";
import { NumberField, SwitchField } from "@/form/Fields";
import { Section } from "@/ui/Layouts";
import { AdminsOnly } from "./AdminsOnly";
import { EraseNumber } from "./EraseNumber";
import { CALLS_DAYS, RECORDINGS_DAYS } from "./schema";

/** What is kept of calls and for how long, and forgetting somebody. */
export function PrivacyTab() {
  const { t } = useTranslation();
  return (
    <>
      <Section title={t("settings.retention")} hint={t("settings.retentionHint")}>
        <div className="grid gap-5 md:grid-cols-2">
          <NumberField at={["retention", "recordings_days"]} label={t("fields.recordings_days")} range={RECORDINGS_DAYS} unit={t("settings.days")} hint={t("settings.recordingsHint")} />
          <NumberField at={["retention", "calls_days"]} label={t("fields.calls_days")} range={CALLS_DAYS} unit={t("settings.days")} hint={t("settings.callsHint")} />
        </div>
        <SwitchField at="record_bridge" label={t("fields.record_bridge")} hint={t("settings.recordBridgeHint")} />
      </Section>
      <Section title={t("settings.erase")} hint={t("settings.eraseHint")}>
        <AdminsOnly why={t("settings.eraseAdmins")}>
          <EraseNumber />
        </AdminsOnly>
      </Section>
    </>
  );
}

import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { providersQuery } from "@/api/queries";
import type { InstallationSettings } from "@/api/types";
import { SecretField, TextField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { SwitchInput } from "@/ui/Inputs";
import { Section, Skeleton } from "@/ui/Layouts";
import { ProviderRow } from "./ProviderRow";

/** Who speaks, listens and thinks for the agents: how each stands, and asking it. */
export function ProvidersTab() {
  const { t } = useTranslation();
  const providers = useQuery({ ...providersQuery, refetchInterval: 10_000 });
  if (providers.error && !providers.data) throw providers.error;
  const used = (providers.data ?? []).filter((item) => item.agents.length > 0);
  const others = (providers.data ?? []).filter((item) => item.agents.length === 0);
  return (
    <>
      <Section title={t("settings.usedProviders")} hint={t("settings.usedProvidersHint")}>
        {!providers.data ? (
          <Skeleton rows={2} />
        ) : used.length === 0 ? (
          <p className="text-ink-soft">{t("settings.noUsedProvider")}</p>
        ) : (
          <ul className="divide-y divide-line">
            {used.map((item) => (
              <ProviderRow key={item.id} provider={item} />
            ))}
          </ul>
        )}
      </Section>
      <Section title={t("settings.otherProviders")} hint={t("settings.otherProvidersHint")}>
        {!providers.data ? (
          <Skeleton rows={2} />
        ) : (
          <ul className="divide-y divide-line">
            {others.map((item) => (
              <ProviderRow key={item.id} provider={item} />
            ))}
          </ul>
        )}
      </Section>
      <Embedding />
    </>
  );
}

/** Where the vectors of documents come from. */
function Embedding() {
  const { t } = useTranslation();
  const field = useField<InstallationSettings["embedding"]>("embedding");
  return (
    <Section title={t("fields.embedding")} hint={t("settings.embeddingHint")}>
      <SwitchInput
        label={t("settings.embeddingOn")}
        hint={field.value ? t("settings.embeddingType") : t("settings.embeddingOff")}
        checked={field.value !== null}
        disabled={field.readOnly}
        onChange={(on) => field.set(on ? { type: "openai", model: null, base_url: null, api_key: null } : null)}
      />
      {field.value && (
        <div className="grid gap-5 md:grid-cols-2">
          <TextField at={["embedding", "model"]} label={t("fields.model")} nullable maxLength={200} placeholder="text-embedding-3-small" hint={t("settings.embeddingModelHint")} />
          <TextField at={["embedding", "base_url"]} label={t("fields.base_url")} nullable type="url" hint={t("settings.embeddingUrlHint")} />
          <SecretField at={["embedding", "api_key"]} label={t("fields.api_key")} hint={t("settings.embeddingKeyHint")} />
        </div>
      )}
    </Section>
  );
}

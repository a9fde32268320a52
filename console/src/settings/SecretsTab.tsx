import { useQuery } from "@tanstack/react-query";
import { Lock, Plus, ShieldQuestion } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { secretsQuery } from "@/api/queries";
import { useMay } from "@/api/session";
import { Button } from "@/ui/Button";
import { EmptyState, Notice, Section, Skeleton } from "@/ui/Layouts";
import { DeleteSecretDialog } from "./DeleteSecretDialog";
import { SecretValueDialog } from "./SecretValueDialog";

type Asking = { what: "save"; name: string | null } | { what: "delete"; name: string };

/** Values that workflows use by name. They go in and never come out. */
export function SecretsTab() {
  const { t } = useTranslation();
  const mayWrite = useMay("write");
  const secrets = useQuery(secretsQuery);
  const [asking, setAsking] = useState<Asking | null>(null);
  if (secrets.error && !secrets.data) throw secrets.error;
  const add = mayWrite && (
    <Button icon={Plus} look={secrets.data?.length ? "plain" : "primary"} onClick={() => setAsking({ what: "save", name: null })}>
      {t("settings.newSecret")}
    </Button>
  );
  return (
    <>
      {!mayWrite && (
        <Notice tone="info" icon={Lock} title={t("settings.readOnly")}>
          {t("settings.secretsReadOnly")}
        </Notice>
      )}
      <Section title={t("settings.secrets")} hint={t("settings.secretsHint")} aside={secrets.data?.length ? add : undefined}>
        {!secrets.data ? (
          <Skeleton rows={2} />
        ) : secrets.data.length === 0 ? (
          <EmptyState icon={ShieldQuestion} title={t("settings.noSecret")} hint={t("settings.noSecretHint")}>
            {add}
          </EmptyState>
        ) : (
          <ul className="divide-y divide-line">
            {secrets.data.map((name) => (
              <li key={name} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 py-3 first:pt-0 last:pb-0">
                <span className="grid min-w-0">
                  <span className="font-semibold break-all">{name}</span>
                  <code className="text-sm break-all text-ink-soft">{`{{ secrets.${name} }}`}</code>
                </span>
                {mayWrite && (
                  <span className="flex gap-2">
                    <Button small aria-label={t("settings.replaceSecret", { name })} onClick={() => setAsking({ what: "save", name })}>
                      {t("form.secretReplace")}
                    </Button>
                    <Button small aria-label={t("settings.deleteSecret", { name })} onClick={() => setAsking({ what: "delete", name })}>
                      {t("ui.delete")}
                    </Button>
                  </span>
                )}
              </li>
            ))}
          </ul>
        )}
      </Section>
      {asking?.what === "save" && <SecretValueDialog name={asking.name} taken={secrets.data ?? []} onClose={() => setAsking(null)} />}
      {asking?.what === "delete" && <DeleteSecretDialog name={asking.name} onClose={() => setAsking(null)} />}
    </>
  );
}

import { useQuery } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { useTranslation } from "react-i18next";
import { secretsQuery } from "@/api/queries";
import { SecretValueDialog } from "@/settings/SecretValueDialog";
import { Button } from "@/ui/Button";
import { Notice, Section } from "@/ui/Layouts";
import { secretsNamed } from "./edits";
import { useWorkflowEditor } from "./editor";

/** The installation's secrets that can be named here, and those that are named and not there. */
export function SecretsSection() {
  const { t } = useTranslation();
  const { draft, readOnly } = useWorkflowEditor();
  const secrets = useQuery(secretsQuery);
  // of a name: its first value, or another one
  const [giving, setGiving] = useState<{ name: string | null } | null>(null);
  const known = secrets.data ?? [];
  const named = secretsNamed(draft);
  const missing = secrets.data ? named.filter((name) => !known.includes(name)) : [];
  return (
    <Section
      title={t("workflows.secrets")}
      hint={t("workflows.secretsHint", { example: "{{ secrets.CRM_KEY }}" })}
      aside={
        !readOnly && (
          <Button icon={Plus} onClick={() => setGiving({ name: null })}>
            {t("settings.newSecret")}
          </Button>
        )
      }
    >
      {missing.map((name) => (
        <Notice
          key={name}
          tone="warn"
          icon={KeyRound}
          title={t("workflows.secretMissing", { name })}
          actions={
            !readOnly && (
              <Button small onClick={() => setGiving({ name })}>
                {t("workflows.giveSecret")}
              </Button>
            )
          }
        >
          {t("workflows.secretMissingHint")}
        </Notice>
      ))}
      {known.length === 0 ? (
        <p className="text-sm text-ink-soft">{t("workflows.noSecret")}</p>
      ) : (
        <ul className="flex flex-wrap gap-2">
          {known.map((name) => (
            <li key={name} className={`flex items-center gap-2 rounded-full px-3 py-1 text-sm ring-1 ${named.includes(name) ? "bg-brand-wash ring-brand" : "bg-surface ring-line"}`}>
              <KeyRound aria-hidden className="size-3.5 shrink-0 text-ink-soft" />
              <code className="break-all">{name}</code>
              {named.includes(name) && <span className="text-xs font-semibold text-brand-strong">{t("workflows.secretUsed")}</span>}
            </li>
          ))}
        </ul>
      )}
      <p className="text-sm">
        <Link to="/settings/secrets" className="font-semibold text-brand-strong hover:underline">
          {t("workflows.manageSecrets")}
        </Link>
      </p>
      {giving && <SecretValueDialog name={giving.name} taken={known} onClose={() => setGiving(null)} />}
    </Section>
  );
}

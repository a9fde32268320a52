import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { CalendarCheck, ConciergeBell, FileText, Moon } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useTranslation } from "react-i18next";
import { AGENT_LANGUAGES, AGENT_TEMPLATES, fromTemplate, type AgentTemplate } from "@/agent/templates";
import { createAgent } from "@/api/agents";
import { settingsQuery } from "@/api/queries";
import { LANGUAGES, type Language } from "@/i18n";
import { FormDialog } from "@/ui/FormDialog";
import { SelectInput, TextInput } from "@/ui/Inputs";
import { RadioCards } from "@/ui/RadioCards";
import { useShowError } from "@/ui/useToasts";

const ICONS = { blank: FileText, frontDesk: ConciergeBell, appointment: CalendarCheck, afterHours: Moon };

/** A name, a language and something to start from. */
export function NewAgentDialog({ onClose }: { onClose: () => void }) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const showError = useShowError();
  const stored = useQuery(settingsQuery).data;
  const [name, setName] = useState("");
  const [missing, setMissing] = useState(false);
  const [template, setTemplate] = useState<AgentTemplate>("frontDesk");
  const [language, setLanguage] = useState<Language>(i18n.language as Language);

  const making = useMutation({
    mutationFn: () => {
      const usual = stored && stored.revision > 0 ? stored.document : null; // never saved: the browser knows better
      const timezone = usual?.default_timezone ?? (Intl.DateTimeFormat().resolvedOptions().timeZone || "Europe/Paris");
      const tag = usual?.default_language.startsWith(language) ? usual.default_language : AGENT_LANGUAGES[language];
      const wanted = { template, name: name.trim(), language: tag, timezone };
      return createAgent(fromTemplate(wanted, i18n.getFixedT(language)));
    },
    onSuccess: (agent) => {
      void client.invalidateQueries({ queryKey: ["agents"], exact: true });
      void navigate(`/agents/${agent.id}`);
    },
    onError: showError,
  });

  function submit() {
    setMissing(!name.trim());
    if (name.trim()) making.mutate();
  }

  return (
    <FormDialog
      wide
      title={t("newAgent.title")}
      description={t("newAgent.hint")}
      action={t("newAgent.create")}
      busy={making.isPending}
      onSubmit={submit}
      onClose={onClose}
    >
      <div className="grid gap-5 sm:grid-cols-[2fr_1fr]">
        <TextInput label={t("newAgent.name")} hint={t("newAgent.nameHint")} value={name} onChange={setName} required maxLength={200} error={missing && !name.trim() ? t("errors.required") : undefined} />
        <SelectInput label={t("newAgent.language")} value={language} onChange={(value) => setLanguage(value as Language)} choices={LANGUAGES.map((value) => ({ value, label: t(`languages.${value}`, { lng: value }) }))} />
      </div>
      <RadioCards
        legend={t("newAgent.template")}
        columns="two"
        value={template}
        onChange={(value) => setTemplate(value as AgentTemplate)}
        cards={AGENT_TEMPLATES.map((value) => ({ value, icon: ICONS[value], label: t(`newAgent.${value}`), hint: t(`newAgent.${value}Hint`) }))}
      />
    </FormDialog>
  );
}

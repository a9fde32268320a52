import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CalendarCheck, ConciergeBell, FileText, Moon } from "lucide-react";
import { useState, type SubmitEvent } from "react";
import { useNavigate } from "react-router";
import { useTranslation } from "react-i18next";
import { AGENT_LANGUAGES, AGENT_TEMPLATES, fromTemplate, type AgentTemplate } from "@/agent/templates";
import { createAgent } from "@/api/agents";
import { LANGUAGES, type Language } from "@/i18n";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
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
  const [name, setName] = useState("");
  const [missing, setMissing] = useState(false);
  const [template, setTemplate] = useState<AgentTemplate>("frontDesk");
  const [language, setLanguage] = useState<Language>(i18n.language as Language);

  const making = useMutation({
    mutationFn: () => {
      const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone || "Europe/Paris";
      const wanted = { template, name: name.trim(), language: AGENT_LANGUAGES[language], timezone };
      return createAgent(fromTemplate(wanted, i18n.getFixedT(language)));
    },
    onSuccess: (agent) => {
      void client.invalidateQueries({ queryKey: ["agents"], exact: true });
      void navigate(`/agents/${agent.id}`);
    },
    onError: showError,
  });

  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    setMissing(!name.trim());
    if (name.trim()) making.mutate();
  }

  return (
    <Dialog
      wide
      title={t("newAgent.title")}
      description={t("newAgent.hint")}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t("ui.cancel")}</Button>
          <Button type="submit" form="new-agent" look="primary" busy={making.isPending}>
            {t("newAgent.create")}
          </Button>
        </>
      }
    >
      <form id="new-agent" noValidate onSubmit={submit} className="grid gap-5 pb-2">
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
      </form>
    </Dialog>
  );
}

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useTranslation } from "react-i18next";
import { languageChoices } from "@/agents/choices";
import { createSource } from "@/api/knowledge";
import { Problem } from "@/api/problem";
import { dataSourcesQuery } from "@/api/queries";
import type { Language } from "@/i18n";
import { FormDialog } from "@/ui/FormDialog";
import { SelectInput, TextInput } from "@/ui/Inputs";
import { useShowError } from "@/ui/useToasts";
import { FIRST_LANGUAGE } from "./languages";
import { blankSource, MAX_NAME } from "./schema";

/** A name and a language; the documents come next. */
export function NewSourceDialog({ onClose }: { onClose: () => void }) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const showError = useShowError();
  const [name, setName] = useState("");
  const [language, setLanguage] = useState(FIRST_LANGUAGE[i18n.language as Language]);
  const [tried, setTried] = useState(false);
  const making = useMutation({
    mutationFn: () => createSource({ ...blankSource(language), name: name.trim() }),
    onSuccess: (source) => {
      void client.invalidateQueries({ queryKey: dataSourcesQuery.queryKey, exact: true });
      void navigate(`/knowledge/${source.id}`);
    },
    onError: (error) => {
      showError(error);
      if (!(error instanceof Problem && error.notLive)) return;
      void client.invalidateQueries({ queryKey: dataSourcesQuery.queryKey }); // it is there
      onClose();
    },
  });
  const error = !name.trim() ? t("errors.required") : name.trim().length > MAX_NAME ? t("errors.tooLong", { max: MAX_NAME }) : undefined;

  function submit() {
    setTried(true);
    if (!error) making.mutate();
  }

  return (
    <FormDialog
      title={t("knowledge.newTitle")}
      description={t("knowledge.newHint")}
      action={t("knowledge.create")}
      busy={making.isPending}
      onSubmit={submit}
      onClose={onClose}
    >
      <TextInput label={t("fields.name")} hint={t("knowledge.newNameHint")} value={name} onChange={setName} required maxLength={MAX_NAME} error={tried ? error : undefined} />
      <SelectInput label={t("fields.language")} hint={t("knowledge.languageHint")} value={language} onChange={setLanguage} choices={languageChoices(i18n.language)} />
    </FormDialog>
  );
}

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { addPage } from "@/api/knowledge";
import { FormDialog } from "@/ui/FormDialog";
import { TextInput } from "@/ui/Inputs";
import { useShowError } from "@/ui/useToasts";
import { problemsOf } from "@/form/problems";
import { MAX_URL, webAddress } from "./schema";
import { documentsQuery } from "./useDocuments";

/** One web page by its address. Whether it can be had shows in the list, as for files. */
export function AddPageDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const showError = useShowError();
  const [url, setUrl] = useState("");
  const [tried, setTried] = useState(false);
  const adding = useMutation({
    mutationFn: () => addPage(id, url.trim()),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: documentsQuery(id).queryKey });
      onClose();
    },
    onError: showError,
  });
  const [problem] = problemsOf(webAddress, url.trim());

  function submit() {
    setTried(true);
    if (!problem) adding.mutate();
  }

  return (
    <FormDialog
      title={t("knowledge.pageTitle")}
      description={t("knowledge.pageHint")}
      action={t("knowledge.pageAdd")}
      busy={adding.isPending}
      onSubmit={submit}
      onClose={onClose}
    >
      <TextInput label={t("knowledge.pageAddress")} type="url" placeholder="https://www.example.com/" value={url} onChange={setUrl} required maxLength={MAX_URL} error={tried && problem ? t(problem.key, problem.values) : undefined} />
    </FormDialog>
  );
}

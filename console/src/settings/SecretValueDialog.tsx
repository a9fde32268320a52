import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "@/api/problem";
import { secretsQuery } from "@/api/queries";
import { saveSecret } from "@/api/workflows";
import { serverWords } from "@/i18n/serverWords";
import { FormDialog } from "@/ui/FormDialog";
import { TextInput } from "@/ui/Inputs";
import { useShowError, useToasts } from "@/ui/useToasts";
import { MAX_SECRET } from "./schema";
import { useWrong } from "./useWrong";

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** A new secret, or another value for one. */
export function SecretValueDialog({ name: known, taken, onClose }: { name: string | null; taken: readonly string[]; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { show } = useToasts();
  const showError = useShowError();
  const [typed, setTyped] = useState("");
  const [value, setValue] = useState("");
  const { wrong, setWrong, change } = useWrong();
  const name = known ?? typed.trim();
  const saving = useMutation({
    mutationFn: () => saveSecret(name, value),
    onSuccess: () => {
      show({ kind: "done", text: t("settings.secretSaved", { name }), detail: t("settings.secretSavedHint") });
      onClose();
    },
    onError: (error) => {
      if (error instanceof Problem && error.body.errors) setWrong(Object.fromEntries(error.body.errors.map(({ path, message }) => [path.replace("path.", ""), serverWords(t, message)])));
      else showError(error);
    },
    onSettled: () => void client.invalidateQueries({ queryKey: secretsQuery.queryKey }),
  });

  function submit() {
    const found: Record<string, string> = {};
    if (!NAME.test(name)) found["name"] = t("settings.errors.secretName");
    else if (known === null && taken.includes(name)) found["name"] = t("settings.errors.takenSecret");
    if (!value) found["value"] = t("errors.required");
    if (value.length > MAX_SECRET) found["value"] = t("errors.tooLong", { max: MAX_SECRET });
    setWrong(found);
    if (Object.keys(found).length === 0) saving.mutate();
  }

  return (
    <FormDialog
      title={known ?? t("settings.newSecret")}
      description={t(known ? "settings.replaceHint" : "settings.secretsHint")}
      action={t("ui.save")}
      busy={saving.isPending}
      onSubmit={submit}
      onClose={onClose}
    >
      {known === null && <TextInput label={t("fields.name")} hint={t("settings.secretNameHint")} value={typed} onChange={change(setTyped, "name")} placeholder="CRM_KEY" mono error={wrong["name"]} required />}
      <TextInput label={t("settings.secretValue")} type="password" autoComplete="new-password" value={value} onChange={change(setValue, "value")} error={wrong["value"]} required />
    </FormDialog>
  );
}

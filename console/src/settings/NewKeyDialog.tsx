import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { keysQuery } from "@/api/queries";
import { createKey } from "@/api/settings";
import { Problem } from "@/api/problem";
import type { ApiKeySecret, Scope } from "@/api/types";
import { limitsText } from "@/form/limitsText";
import { serverWords } from "@/i18n/serverWords";
import { FormDialog } from "@/ui/FormDialog";
import { FieldError } from "@/ui/Field";
import { NumberInput, SwitchInput, TextInput } from "@/ui/Inputs";
import { useShowError } from "@/ui/useToasts";
import { KEY_DAYS, MAX_PERSON_NAME } from "./schema";
import { useWrong } from "./useWrong";

const SCOPES: readonly Scope[] = ["read", "write", "calls", "admin"];

/** Who the key is for, what it may do and for how long. */
export function NewKeyDialog({ onMade, onClose }: { onMade: (made: ApiKeySecret) => void; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const showError = useShowError();
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly Scope[]>(["read"]);
  const [ends, setEnds] = useState(false);
  const [days, setDays] = useState(KEY_DAYS.default);
  const { wrong, setWrong, change } = useWrong();
  const making = useMutation({
    mutationFn: () => createKey({ name: name.trim(), scopes: [...scopes], expires_in_days: ends ? days : null }),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: keysQuery.queryKey });
      onMade(made);
    },
    onError: (error) => {
      if (error instanceof Problem && error.body.errors) setWrong(Object.fromEntries(error.body.errors.map(({ path, message }) => [path.replace(/\[.*/, ""), serverWords(t, message)])));
      else showError(error);
    },
  });

  function submit() {
    const found: Record<string, string> = {};
    if (!name.trim()) found["name"] = t("errors.required");
    if (name.trim().length > MAX_PERSON_NAME) found["name"] = t("errors.tooLong", { max: MAX_PERSON_NAME });
    if (scopes.length === 0) found["scopes"] = t("settings.errors.noScope");
    if (ends && !(Number.isInteger(days) && days >= KEY_DAYS.min && days <= KEY_DAYS.max)) found["expires_in_days"] = limitsText(t, KEY_DAYS);
    setWrong(found);
    if (Object.keys(found).length === 0) making.mutate();
  }

  return (
    <FormDialog
      title={t("settings.newKey")}
      description={t("settings.newKeyHint")}
      action={t("settings.makeKey")}
      busy={making.isPending}
      onSubmit={submit}
      onClose={onClose}
    >
      <TextInput label={t("fields.name")} hint={t("settings.keyNameHint")} value={name} onChange={change(setName, "name")} maxLength={MAX_PERSON_NAME} error={wrong["name"]} required />
      <fieldset className="grid gap-3">
        <legend className="mb-1.5 text-sm font-semibold">{t("settings.mayDo")}</legend>
        {SCOPES.map((scope) => (
          <label key={scope} className="flex items-start gap-3">
            <input
              type="checkbox"
              className="mt-1 size-4 shrink-0 accent-brand"
              checked={scopes.includes(scope)}
              onChange={(event) => change(setScopes, "scopes")(event.target.checked ? [...scopes, scope] : scopes.filter((other) => other !== scope))}
            />
            <span className="grid">
              <span className="font-semibold">{t(`settings.scope.${scope}`)}</span>
              <span className="text-sm text-ink-soft">{t(`settings.scopeHint.${scope}`)}</span>
            </span>
          </label>
        ))}
        {wrong["scopes"] && <FieldError text={wrong["scopes"]} />}
      </fieldset>
      <SwitchInput label={t("settings.keyEnds")} hint={ends ? undefined : t("settings.keyNeverEnds")} checked={ends} onChange={setEnds} />
      {ends && <NumberInput label={t("settings.keyDays")} value={days} onChange={change(setDays, "expires_in_days")} min={KEY_DAYS.min} max={KEY_DAYS.max} unit={t("settings.days")} limits={limitsText(t, KEY_DAYS, t("settings.days"))} error={wrong["expires_in_days"]} />}
    </FormDialog>
  );
}

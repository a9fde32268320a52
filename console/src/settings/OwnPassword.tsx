import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "@/api/problem";
import { changePassword, sessionQuery, useSession } from "@/api/session";
import { serverWords } from "@/i18n/serverWords";
import { Button } from "@/ui/Button";
import { TextInput } from "@/ui/Inputs";
import { Section } from "@/ui/Layouts";
import { useShowError, useToasts } from "@/ui/useToasts";
import { MAX_PASSWORD, MIN_PASSWORD } from "./schema";
import { useWrong } from "./useWrong";

/** Everybody's own password, whatever their role. */
export function OwnPassword() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { show } = useToasts();
  const showError = useShowError();
  const name = useSession()?.user?.name ?? "";
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const { wrong, setWrong, change } = useWrong();
  const changing = useMutation({
    mutationFn: () => changePassword(current, next),
    onSuccess: (session) => {
      client.setQueryData(sessionQuery.queryKey, session);
      setCurrent("");
      setNext("");
      show({ kind: "done", text: t("settings.passwordChanged"), detail: t("settings.passwordChangedHint") });
    },
    onError: (error) => {
      if (error instanceof Problem && error.status === 403) setWrong({ current_password: t("settings.errors.wrongPassword") });
      else if (error instanceof Problem && error.status === 429) setWrong({ current_password: t("signIn.tooMany") });
      else if (error instanceof Problem && error.body.errors) setWrong(Object.fromEntries(error.body.errors.map(({ path, message }) => [path, serverWords(t, message)])));
      else showError(error);
    },
  });

  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const found: Record<string, string> = {};
    if (!current) found["current_password"] = t("errors.required");
    if (next.length < MIN_PASSWORD) found["new_password"] = t("signIn.passwordHint", { min: MIN_PASSWORD });
    if (next.length > MAX_PASSWORD) found["new_password"] = t("errors.tooLong", { max: MAX_PASSWORD });
    setWrong(found);
    if (Object.keys(found).length === 0) changing.mutate();
  }

  return (
    <Section title={t("settings.ownPassword")} hint={t("settings.ownPasswordHint", { name })}>
      <form noValidate onSubmit={submit} className="grid items-start gap-5 md:grid-cols-[1fr_1fr_auto]">
        <TextInput label={t("settings.currentPassword")} type="password" autoComplete="current-password" value={current} onChange={change(setCurrent, "current_password")} error={wrong["current_password"]} />
        <TextInput label={t("settings.newPassword")} hint={t("signIn.passwordHint", { min: MIN_PASSWORD })} type="password" autoComplete="new-password" value={next} onChange={change(setNext, "new_password")} error={wrong["new_password"]} />
        <Button type="submit" busy={changing.isPending} className="md:mt-[1.65rem]">
          {t("settings.changePassword")}
        </Button>
      </form>
    </Section>
  );
}

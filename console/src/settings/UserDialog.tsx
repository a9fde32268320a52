import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "@/api/problem";
import { usersQuery } from "@/api/queries";
import { sessionQuery, useSession } from "@/api/session";
import { changeUser, createUser } from "@/api/settings";
import type { Role, User } from "@/api/types";
import { serverWords } from "@/i18n/serverWords";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { TextInput } from "@/ui/Inputs";
import { RadioCards } from "@/ui/RadioCards";
import { useShowError, useToasts } from "@/ui/useToasts";
import { MAX_PASSWORD, MAX_PERSON_NAME, MIN_PASSWORD } from "./schema";
import { useWrong } from "./useWrong";

const ROLES: readonly Role[] = ["viewer", "editor", "admin"];

/** A new user, or another role or password for one. */
export function UserDialog({ user, lastAdmin, onClose }: { user: User | null; lastAdmin: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { show } = useToasts();
  const showError = useShowError();
  const own = useSession()?.user?.id === user?.id;
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>(user?.role ?? "editor");
  const [password, setPassword] = useState("");
  const { wrong, setWrong, change } = useWrong();
  const saving = useMutation({
    mutationFn: () => (user ? changeUser(user.id, { role: role === user.role ? undefined : role, password: password || undefined }) : createUser({ name: name.trim(), role, password })),
    onSuccess: (saved) => {
      show({ kind: "done", text: t(user ? "settings.userChanged" : "settings.userMade", { name: saved.name }), detail: password && user ? t("settings.userSignedOut") : undefined });
      void client.invalidateQueries({ queryKey: usersQuery.queryKey });
      if (own) void client.invalidateQueries({ queryKey: sessionQuery.queryKey });
      onClose();
    },
    onError: (error) => {
      if (error instanceof Problem && error.body.errors) setWrong(Object.fromEntries(error.body.errors.map(({ path, message }) => [path, serverWords(t, message)])));
      else if (error instanceof Problem && error.status === 409 && !user) setWrong({ name: t("settings.errors.takenName") });
      else showError(error);
    },
  });
  const nothing = user !== null && role === user.role && password === "";

  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const found: Record<string, string> = {};
    if (!user && !name.trim()) found["name"] = t("errors.required");
    if (!user && name.trim().length > MAX_PERSON_NAME) found["name"] = t("errors.tooLong", { max: MAX_PERSON_NAME });
    if ((!user || password) && password.length < MIN_PASSWORD) found["password"] = t("signIn.passwordHint", { min: MIN_PASSWORD });
    if (password.length > MAX_PASSWORD) found["password"] = t("errors.tooLong", { max: MAX_PASSWORD });
    setWrong(found);
    if (Object.keys(found).length === 0 && !nothing) saving.mutate();
  }

  return (
    <Dialog
      wide
      title={user ? user.name : t("settings.newUser")}
      description={user ? t("settings.changeUserHint") : t("settings.newUserHint")}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t("ui.cancel")}</Button>
          <Button type="submit" form="user" look="primary" busy={saving.isPending} disabled={nothing}>
            {t(user ? "ui.save" : "settings.makeUser")}
          </Button>
        </>
      }
    >
      <form id="user" noValidate onSubmit={submit} className="grid gap-5">
        {!user && <TextInput label={t("signIn.name")} hint={t("settings.userNameHint")} value={name} onChange={change(setName, "name")} maxLength={MAX_PERSON_NAME} error={wrong["name"]} required />}
        <div className="grid gap-2">
          <RadioCards
            legend={t("settings.role")}
            value={role}
            onChange={(value) => setRole(value as Role)}
            disabled={lastAdmin}
            cards={ROLES.map((value) => ({ value, label: t(`roles.${value}`), hint: t(`settings.roleHint.${value}`) }))}
          />
          {lastAdmin && <p className="text-sm text-ink-soft">{t("settings.onlyAdmin")}</p>}
        </div>
        <TextInput
          label={t(user ? "settings.newPassword" : "signIn.password")}
          hint={user ? `${t("signIn.passwordHint", { min: MIN_PASSWORD })} ${t("settings.passwordStays")}` : t("signIn.passwordHint", { min: MIN_PASSWORD })}
          type="password"
          autoComplete="new-password"
          value={password}
          onChange={change(setPassword, "password")}
          error={wrong["password"]}
          required={!user}
        />
      </form>
    </Dialog>
  );
}

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "@/api/problem";
import { firstSignIn, sessionQuery, signIn } from "@/api/session";
import { Button } from "@/ui/Button";
import { FieldError } from "@/ui/Field";
import { TextInput } from "@/ui/Inputs";
import { Notice } from "@/ui/Layouts";
import { useShowError } from "@/ui/useToasts";
import { Brand } from "./Brand";
import { LanguageSwitch } from "./LanguageSwitch";

const MIN_PASSWORD = 12;

/** The way in; the first time it makes the administrator, with the key that the server printed. */
export function SignInPage({ first }: { first: boolean }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const showError = useShowError();
  const [key, setKey] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [refused, setRefused] = useState<Record<string, string>>({});

  const entering = useMutation({
    mutationFn: () => (first ? firstSignIn(key.trim(), name.trim(), password) : signIn(name.trim(), password)),
    onSuccess: (session) => client.setQueryData(sessionQuery.queryKey, session),
    onError: (error) => {
      if (error instanceof Problem && error.status === 401) setRefused({ form: t(first ? "signIn.wrongKey" : "signIn.wrong") });
      else if (error instanceof Problem && error.status === 429) setRefused({ form: t("signIn.tooMany") });
      else if (error instanceof Problem && error.body.errors) setRefused(Object.fromEntries(error.body.errors.map(({ path, message }) => [path, message])));
      else showError(error);
    },
  });

  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const missing: Record<string, string> = {};
    if (first && !key.trim()) missing["admin_key"] = t("errors.required");
    if (!name.trim()) missing["name"] = t("errors.required");
    if (first ? password.length < MIN_PASSWORD : !password) missing["password"] = first ? t("errors.tooFew", { min: MIN_PASSWORD }) : t("errors.required");
    setRefused(missing);
    if (Object.keys(missing).length === 0) entering.mutate();
  }

  return (
    <main className="grid min-h-dvh grid-rows-[auto_1fr] lg:grid-cols-[5fr_6fr] lg:grid-rows-1">
      <div className="on-pine flex flex-col justify-between gap-10 bg-pine px-6 py-6 text-white sm:px-12 sm:py-10">
        <Brand />
        <div className="hidden max-w-md gap-4 lg:grid">
          <p className="text-[2.1rem] leading-tight font-bold tracking-tight text-balance">{t("signIn.claim")}</p>
          <p className="text-[#c8ddd6]">{t("signIn.claimMore")}</p>
        </div>
        <div className="max-w-60">
          <LanguageSwitch />
        </div>
      </div>
      <div className="grid place-items-center px-5 py-10">
        <form noValidate onSubmit={submit} className="grid w-full max-w-sm gap-5">
          <h1 className="text-2xl font-bold">{t(first ? "signIn.firstTitle" : "signIn.title")}</h1>
          {first && (
            <Notice tone="info" icon={KeyRound}>
              {t("signIn.firstHint")}
            </Notice>
          )}
          {first && <TextInput label={t("signIn.adminKey")} hint={t("signIn.adminKeyHint")} type="password" value={key} onChange={setKey} error={refused["admin_key"]} required />}
          <TextInput label={t("signIn.name")} value={name} onChange={setName} autoComplete="username" error={refused["name"]} required />
          <TextInput
            label={t("signIn.password")}
            hint={first ? t("signIn.passwordHint", { min: MIN_PASSWORD }) : undefined}
            type="password"
            value={password}
            onChange={setPassword}
            autoComplete={first ? "new-password" : "current-password"}
            error={refused["password"]}
            required
          />
          {refused["form"] && (
            <div role="alert">
              <FieldError text={refused["form"]} />
            </div>
          )}
          <Button type="submit" look="primary" busy={entering.isPending}>
            {t(first ? "signIn.firstEnter" : "signIn.enter")}
          </Button>
        </form>
      </div>
    </main>
  );
}

import { useQuery } from "@tanstack/react-query";
import { PlugZap } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Unreachable } from "@/api/problem";
import { SessionContext, sessionQuery } from "@/api/session";
import { Button } from "@/ui/Button";
import { EmptyState } from "@/ui/Layouts";
import { Layout } from "./Layout";
import { SignInPage } from "./SignInPage";

/** The console for whoever is signed in, and the way in for everybody else. */
export function SignedIn() {
  const { t } = useTranslation();
  const session = useQuery(sessionQuery);
  if (session.isPending) return <p className="sr-only">{t("ui.loading")}</p>;
  if (session.error)
    return (
      <main className="mx-auto max-w-xl px-4 py-24">
        <EmptyState icon={PlugZap} title={t("errors.unreachableServer")} hint={session.error instanceof Unreachable ? t("errors.unreachableHint") : session.error.message}>
          <Button look="primary" busy={session.isFetching} onClick={() => void session.refetch()}>
            {t("ui.retry")}
          </Button>
        </EmptyState>
      </main>
    );
  if (!session.data.signed_in) return <SignInPage first={session.data.first_sign_in} />;
  return (
    <SessionContext value={session.data}>
      <Layout />
    </SessionContext>
  );
}

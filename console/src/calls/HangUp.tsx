import { useMutation } from "@tanstack/react-query";
import { PhoneOff } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { hangUpCall } from "@/api/calls";
import { Problem } from "@/api/problem";
import { useMay } from "@/api/session";
import { Button } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import { useShowError } from "@/ui/useToasts";

/** Ends somebody's call under way, after asking. */
export function HangUp({ id }: { id: string }) {
  const { t } = useTranslation();
  const showError = useShowError();
  const mayCall = useMay("calls");
  const [asking, setAsking] = useState(false);
  const hangingUp = useMutation({
    mutationFn: () => hangUpCall(id),
    onSuccess: () => setAsking(false),
    onError: (error) => {
      setAsking(false);
      if (!(error instanceof Problem && error.status === 409)) showError(error); // 409: over already, which is what was wanted
    },
  });
  if (!mayCall) return null;
  return (
    <>
      <Button look="danger" icon={PhoneOff} busy={hangingUp.isSuccess} onClick={() => setAsking(true)}>
        {t("calls.hangUp")}
      </Button>
      {asking && <ConfirmDialog title={t("calls.hangUpTitle")} description={t("calls.hangUpHint")} action={t("calls.hangUp")} busy={hangingUp.isPending} onConfirm={() => hangingUp.mutate()} onClose={() => setAsking(false)} />}
    </>
  );
}

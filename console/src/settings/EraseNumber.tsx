import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CircleCheck, Eraser } from "lucide-react";
import { useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";
import { eraseNumber } from "@/api/settings";
import { Problem } from "@/api/problem";
import { spaced } from "@/phone/numbers";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { TextInput } from "@/ui/Inputs";
import { Notice } from "@/ui/Layouts";
import { useShowError } from "@/ui/useToasts";

/** Forgetting a person by their number. What was typed has to be typed again, for nothing brings it back. */
export function EraseNumber() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const showError = useShowError();
  const [number, setNumber] = useState("");
  const [missing, setMissing] = useState(false);
  const [asking, setAsking] = useState(false);
  const erasing = useMutation({
    mutationFn: () => eraseNumber(number.trim()),
    onSuccess: () => {
      setAsking(false);
      setNumber("");
      void client.invalidateQueries({ queryKey: ["calls"] });
    },
    onError: (error) => {
      setAsking(false);
      if (!(error instanceof Problem && error.status === 409)) showError(error);
    },
  });
  const busy = erasing.error instanceof Problem && erasing.error.status === 409;

  function ask(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    setMissing(!number.trim());
    if (!number.trim()) return;
    erasing.reset();
    setAsking(true);
  }

  return (
    <>
      <form onSubmit={ask} noValidate className="grid items-start gap-3 sm:grid-cols-[minmax(0,22rem)_auto] sm:justify-start">
        <TextInput label={t("settings.eraseNumber")} hint={t("settings.eraseNumberHint")} value={number} onChange={setNumber} placeholder="+33612345678" error={missing ? t("errors.required") : undefined} />
        <Button type="submit" icon={Eraser} className="sm:mt-[1.65rem]">
          {t("settings.eraseAction")}
        </Button>
      </form>
      {erasing.data && (
        <div role="status">
          <Notice tone="calm" icon={CircleCheck} title={t("settings.erased", { number: spaced(erasing.data.number) })}>
            {erasing.data.calls === 0 ? t("settings.erasedNothing") : `${t("settings.erasedCalls", { count: erasing.data.calls })} ${t("settings.erasedRecordings", { count: erasing.data.recordings })}`}
          </Notice>
        </div>
      )}
      {busy && (
        <div role="alert">
          <Notice tone="alarm" title={t("settings.eraseBusy")}>
            {t("settings.eraseBusyHint")}
          </Notice>
        </div>
      )}
      {asking && <Confirm number={number.trim()} busy={erasing.isPending} onConfirm={() => erasing.mutate()} onClose={() => setAsking(false)} />}
    </>
  );
}

function Confirm({ number, busy, onConfirm, onClose }: { number: string; busy: boolean; onConfirm: () => void; onClose: () => void }) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const plain = (text: string) => text.replace(/\s/g, "");
  const right = plain(typed) === plain(number);
  return (
    <Dialog
      title={t("settings.eraseTitle", { number })}
      description={t("settings.eraseWarning")}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t("ui.cancel")}</Button>
          <Button type="submit" form="erase" look="danger" busy={busy} disabled={!right}>
            {t("settings.eraseForGood")}
          </Button>
        </>
      }
    >
      <form
        id="erase"
        onSubmit={(event) => {
          event.preventDefault();
          if (right && !busy) onConfirm();
        }}
      >
        <TextInput label={t("settings.eraseAgain", { number })} value={typed} onChange={setTyped} />
      </form>
    </Dialog>
  );
}

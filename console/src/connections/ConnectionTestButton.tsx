import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CircleAlert, CircleCheck, RadioTower } from "lucide-react";
import { useTranslation } from "react-i18next";
import { request } from "@/api/client";
import { connectionsQuery } from "@/api/queries";
import type { ConnectionState, ConnectionTest } from "@/api/types";
import { serverWords } from "@/i18n/serverWords";
import { Button } from "@/ui/Button";
import { Notice, Section } from "@/ui/Layouts";
import { useShowError } from "@/ui/useToasts";
import { ConnectionLamp } from "./ConnectionLamp";

/** How the connection stands, and asking the other side now. */
export function ConnectionTestButton({ id, state, disabled }: { id: string; state: ConnectionState | null; disabled: boolean }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const showError = useShowError();
  const testing = useMutation({
    mutationFn: () => request<ConnectionTest>("POST", `/sip-connections/${id}/test`),
    onSuccess: () => void client.invalidateQueries({ queryKey: connectionsQuery.queryKey, exact: true }),
    onError: showError,
  });
  const answer = testing.data;
  return (
    <Section
      title={t("connections.state")}
      aside={
        <Button icon={RadioTower} busy={testing.isPending} disabled={disabled} onClick={() => testing.mutate()}>
          {t("connections.test")}
        </Button>
      }
    >
      <ConnectionLamp state={answer?.state ?? state} />
      {testing.isPending && <p role="status">{t("connections.testing")}</p>}
      {answer && (
        <Notice tone={answer.ok ? "calm" : "alarm"} icon={answer.ok ? CircleCheck : CircleAlert} title={t(answer.ok ? "connections.answered" : "connections.notAnswered")}>
          {[serverWords(t, answer.detail), answer.hint].filter(Boolean).join(" ")}
        </Notice>
      )}
    </Section>
  );
}

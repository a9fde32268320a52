import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { deleteAgent } from "@/api/agents";
import { Problem } from "@/api/problem";
import { useMay } from "@/api/session";
import type { AgentSummary } from "@/api/types";
import { IconButton } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import { Notice } from "@/ui/Layouts";
import { useShowError, useToasts } from "@/ui/useToasts";

/** What can be done with an agent from the list. */
export function AgentMenu({ agent }: { agent: AgentSummary }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { show } = useToasts();
  const showError = useShowError();
  const [asking, setAsking] = useState(false);
  const mayWrite = useMay("write");
  const deleting = useMutation({
    mutationFn: () => deleteAgent(agent.id),
    onSuccess: () => {
      setAsking(false);
      void client.invalidateQueries({ queryKey: ["agents"], exact: true });
      show({ kind: "done", text: t("agents.deleted", { name: agent.name }) });
    },
    onError: (error) => {
      if (!(error instanceof Problem && error.body.used_by)) showError(error);
    },
  });
  const usedBy = deleting.error instanceof Problem ? deleting.error.body.used_by : undefined;
  if (!mayWrite) return null;
  return (
    <span className="absolute top-2 right-2 md:static">
      <IconButton icon={Trash2} label={t("agents.delete", { name: agent.name })} onClick={() => setAsking(true)} />
      {asking && (
        <ConfirmDialog
          title={t("agents.deleteTitle", { name: agent.name })}
          description={t("agents.deleteHint")}
          action={t("ui.delete")}
          busy={deleting.isPending}
          onConfirm={() => deleting.mutate()}
          onClose={() => {
            setAsking(false);
            deleting.reset();
          }}
        >
          {usedBy && (
            <Notice tone="alarm" title={t("agents.usedBy")}>
              {usedBy.map((use) => use.name).join(", ")}
            </Notice>
          )}
        </ConfirmDialog>
      )}
    </span>
  );
}

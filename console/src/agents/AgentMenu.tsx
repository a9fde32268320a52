import { useQueryClient } from "@tanstack/react-query";
import { Phone, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { deleteAgent } from "@/api/agents";
import { useMay } from "@/api/session";
import type { AgentSummary } from "@/api/types";
import { IconButton } from "@/ui/Button";
import { DeleteDialog } from "@/ui/DeleteDialog";
import { useToasts } from "@/ui/useToasts";

/** What can be done with an agent from the list. */
export function AgentMenu({ agent, onTalk }: { agent: AgentSummary; onTalk: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { show } = useToasts();
  const [asking, setAsking] = useState(false);
  const mayWrite = useMay("write");
  const mayCall = useMay("calls");
  return (
    <span className="absolute top-2 right-2 flex md:static md:justify-end">
      {mayCall && <IconButton icon={Phone} label={t("talk.openFor", { name: agent.name })} onClick={onTalk} />}
      {mayWrite && <IconButton icon={Trash2} label={t("agents.delete", { name: agent.name })} onClick={() => setAsking(true)} />}
      {asking && (
        <DeleteDialog
          title={t("agents.deleteTitle", { name: agent.name })}
          description={t("agents.deleteHint")}
          remove={() => deleteAgent(agent.id)}
          onRemoved={() => {
            setAsking(false);
            void client.invalidateQueries({ queryKey: ["agents"], exact: true });
            show({ kind: "done", text: t("agents.deleted", { name: agent.name }) });
          }}
          onClose={() => setAsking(false)}
        />
      )}
    </span>
  );
}

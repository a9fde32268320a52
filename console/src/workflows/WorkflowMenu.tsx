import { useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/session";
import { deleteWorkflow } from "@/api/workflows";
import { IconButton } from "@/ui/Button";
import { DeleteDialog } from "@/ui/DeleteDialog";
import { useToasts } from "@/ui/useToasts";

/** What can be done with a workflow from the list. */
export function WorkflowMenu({ id, name }: { id: string; name: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { show } = useToasts();
  const [asking, setAsking] = useState(false);
  const mayWrite = useMay("write");
  if (!mayWrite) return null;
  return (
    <span className="absolute top-2 right-2 md:static">
      <IconButton icon={Trash2} label={t("agents.delete", { name })} onClick={() => setAsking(true)} />
      {asking && (
        <DeleteDialog
          title={t("agents.deleteTitle", { name })}
          description={t("workflows.deleteHint")}
          remove={() => deleteWorkflow(id)}
          onRemoved={() => {
            setAsking(false);
            void client.invalidateQueries({ queryKey: ["workflows"] });
            show({ kind: "done", text: t("agents.deleted", { name }) });
          }}
          onClose={() => setAsking(false)}
        />
      )}
    </span>
  );
}

import { useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useTranslation } from "react-i18next";
import { deleteSource } from "@/api/knowledge";
import { dataSourcesQuery } from "@/api/queries";
import { Button } from "@/ui/Button";
import { DeleteDialog } from "@/ui/DeleteDialog";
import { useToasts } from "@/ui/useToasts";

export function DeleteSource({ id, name, onGone }: { id: string; name: string; onGone: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { show } = useToasts();
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button icon={Trash2} onClick={() => setAsking(true)}>
        {t("ui.delete")}
      </Button>
      {asking && (
        <DeleteDialog
          title={t("knowledge.deleteTitle", { name })}
          description={t("knowledge.deleteHint")}
          remove={() => deleteSource(id)}
          onRemoved={() => {
            onGone();
            void client.invalidateQueries({ queryKey: dataSourcesQuery.queryKey, exact: true });
            show({ kind: "done", text: t("knowledge.deleted", { name }) });
            setTimeout(() => void navigate("/knowledge"));
          }}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}

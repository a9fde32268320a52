import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Problem } from "@/api/problem";
import { secretsQuery } from "@/api/queries";
import { deleteSecret } from "@/api/workflows";
import { ConfirmDialog } from "@/ui/Dialog";
import { Notice } from "@/ui/Layouts";
import { useShowError, useToasts } from "@/ui/useToasts";

export function DeleteSecretDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { show } = useToasts();
  const showError = useShowError();
  const deleting = useMutation({
    mutationFn: () => deleteSecret(name),
    onSuccess: () => {
      show({ kind: "done", text: t("settings.secretDeleted", { name }) });
      onClose();
    },
    onError: (error) => {
      if (!(error instanceof Problem && error.body.used_by)) showError(error);
    },
    onSettled: () => void client.invalidateQueries({ queryKey: secretsQuery.queryKey }),
  });
  const usedBy = deleting.error instanceof Problem ? deleting.error.body.used_by : undefined;
  return (
    <ConfirmDialog title={t("settings.deleteSecretTitle", { name })} description={t("settings.deleteSecretHint")} action={t("ui.delete")} busy={deleting.isPending} onConfirm={() => deleting.mutate()} onClose={onClose}>
      {usedBy && (
        <div role="alert">
          <Notice tone="alarm" title={t("settings.secretUsedBy")}>
            {usedBy.map((use) => use.name).join(", ")}
          </Notice>
        </div>
      )}
    </ConfirmDialog>
  );
}

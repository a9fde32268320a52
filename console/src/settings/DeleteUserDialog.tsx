import { useMutation, useQueryClient } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { useTranslation } from "react-i18next";
import { usersQuery } from "@/api/queries";
import { sessionQuery } from "@/api/session";
import { deleteUser } from "@/api/settings";
import type { User } from "@/api/types";
import { ConfirmDialog } from "@/ui/Dialog";
import { Notice } from "@/ui/Layouts";
import { useShowError, useToasts } from "@/ui/useToasts";

export function DeleteUserDialog({ user, own, onClose }: { user: User; own: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { show } = useToasts();
  const showError = useShowError();
  const deleting = useMutation({
    mutationFn: () => deleteUser(user.id),
    onSuccess: () => {
      show({ kind: "done", text: t("settings.userDeleted", { name: user.name }) });
      void client.invalidateQueries({ queryKey: (own ? sessionQuery : usersQuery).queryKey });
    },
    onError: showError,
    onSettled: onClose,
  });
  return (
    <ConfirmDialog title={t("settings.deleteUserTitle", { name: user.name })} description={t("settings.deleteUserHint")} action={t("settings.remove")} busy={deleting.isPending} onConfirm={() => deleting.mutate()} onClose={onClose}>
      {own && (
        <Notice tone="warn" icon={TriangleAlert}>
          {t("settings.deleteYourself")}
        </Notice>
      )}
    </ConfirmDialog>
  );
}

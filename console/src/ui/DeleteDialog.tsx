import { useMutation } from "@tanstack/react-query";
import { Link } from "react-router";
import { useTranslation } from "react-i18next";
import { Problem } from "@/api/problem";
import { ConfirmDialog } from "./Dialog";
import { Notice } from "./Layouts";
import { useShowError } from "./useToasts";

interface DeleteDialogProps {
  title: string;
  description: string;
  remove: () => Promise<unknown>;
  onRemoved: () => void;
  onClose: () => void;
}

/** Asks before something is deleted; where agents still need it, names them. */
export function DeleteDialog({ title, description, remove, onRemoved, onClose }: DeleteDialogProps) {
  const { t } = useTranslation();
  const showError = useShowError();
  const deleting = useMutation({
    mutationFn: remove,
    onSuccess: onRemoved,
    onError: (error) => {
      if (!(error instanceof Problem && error.body.used_by)) showError(error);
    },
  });
  const uses = deleting.error instanceof Problem ? deleting.error.body.used_by : undefined;
  const users = [...new Map((uses ?? []).map((use) => [use.id, use]))].map(([, use]) => use);
  return (
    <ConfirmDialog title={title} description={description} action={t("ui.delete")} busy={deleting.isPending} onConfirm={() => deleting.mutate()} onClose={onClose}>
      {uses && (
        <Notice tone="alarm" title={t("agents.usedBy")}>
          <span role="alert" className="flex flex-wrap gap-x-3">
            {users.map((use) =>
              use.kind === "agent" ? (
                <Link key={use.id} to={`/agents/${use.id}`} className="font-semibold underline">
                  {use.name}
                </Link>
              ) : (
                <span key={use.id}>{use.name}</span>
              ),
            )}
          </span>
        </Notice>
      )}
    </ConfirmDialog>
  );
}

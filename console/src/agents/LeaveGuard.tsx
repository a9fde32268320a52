import { useBlocker } from "react-router";
import { useTranslation } from "react-i18next";
import { ConfirmDialog } from "@/ui/Dialog";
import { useUnloadGuard } from "@/ui/useUnloadGuard";

/** Asks before the editor is left with changes that are not stored. Moving between its own parts is free. */
export function LeaveGuard({ dirty, own }: { dirty: boolean; own: string }) {
  const { t } = useTranslation();
  const blocker = useBlocker(({ nextLocation }) => dirty && !`${nextLocation.pathname}/`.startsWith(`${own}/`));

  useUnloadGuard(dirty);

  if (blocker.state !== "blocked") return null;
  return (
    <ConfirmDialog
      title={t("editor.leaveTitle")}
      description={t("editor.leaveHint")}
      action={t("editor.leave")}
      onConfirm={() => blocker.proceed()}
      onClose={() => blocker.reset()}
    />
  );
}

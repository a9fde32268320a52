import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { keysQuery } from "@/api/queries";
import { retireKey, revokeKey, rotateKey } from "@/api/settings";
import type { ApiKey, ApiKeySecret } from "@/api/types";
import { Button } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import { useShowError, useToasts } from "@/ui/useToasts";
import type { KeyState } from "./keys";

/** A second secret, an end to the first, an end to the key. */
export function KeyActions({ item, state, onSecret }: { item: ApiKey; state: KeyState; onSecret: (made: ApiKeySecret) => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { show } = useToasts();
  const showError = useShowError();
  const [asking, setAsking] = useState<"retire" | "revoke" | null>(null);
  const refresh = () => void client.invalidateQueries({ queryKey: keysQuery.queryKey });
  const rotating = useMutation({
    mutationFn: () => rotateKey(item.id),
    onSuccess: onSecret,
    onSettled: refresh,
    onError: showError,
  });
  const ending = useMutation({
    mutationFn: (what: "retire" | "revoke") => (what === "retire" ? retireKey(item.id) : revokeKey(item.id)),
    onSuccess: (_, what) => show({ kind: "done", text: t(what === "retire" ? "settings.keyRetired" : "settings.keyRevoked", { name: item.name }) }),
    onSettled: () => {
      setAsking(null);
      refresh();
    },
    onError: showError,
  });
  if (state === "revoked" || state === "expired") return null;
  return (
    <span className="flex flex-wrap gap-2">
      {state === "rotating" ? (
        <Button small aria-label={t("settings.retireOne", { name: item.name })} onClick={() => setAsking("retire")}>
          {t("settings.retire")}
        </Button>
      ) : (
        <Button small busy={rotating.isPending} aria-label={t("settings.rotateOne", { name: item.name })} onClick={() => rotating.mutate()}>
          {t("settings.rotate")}
        </Button>
      )}
      <Button small aria-label={t("settings.revokeOne", { name: item.name })} onClick={() => setAsking("revoke")}>
        {t("settings.revoke")}
      </Button>
      {asking && (
        <ConfirmDialog
          title={t(asking === "retire" ? "settings.retireTitle" : "settings.revokeTitle", { name: item.name })}
          description={t(asking === "retire" ? "settings.retireHint" : "settings.revokeHint")}
          action={t(asking === "retire" ? "settings.retire" : "settings.revoke")}
          busy={ending.isPending}
          onConfirm={() => ending.mutate(asking)}
          onClose={() => setAsking(null)}
        />
      )}
    </span>
  );
}

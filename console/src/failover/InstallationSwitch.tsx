import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ShieldCheck, ShieldOff } from "lucide-react";
import { useTranslation } from "react-i18next";
import { request } from "@/api/client";
import { settingsQuery } from "@/api/queries";
import { useMay } from "@/api/session";
import type { SettingsResource } from "@/api/types";
import { Button } from "@/ui/Button";
import { Notice } from "@/ui/Layouts";
import { useShowError, useToasts } from "@/ui/useToasts";

/** Failover is off in the whole installation until an administrator turns it on. */
export function InstallationSwitch({ settings }: { settings: SettingsResource }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { show } = useToasts();
  const showError = useShowError();
  const admin = useMay("admin");
  const on = settings.document.failover_enabled;
  const switching = useMutation({
    mutationFn: () => request<SettingsResource>("PUT", "/settings", { body: { ...settings.document, failover_enabled: !on }, revision: settings.revision }),
    onSuccess: (saved) => {
      client.setQueryData(settingsQuery.queryKey, saved);
      show({ kind: "done", text: t(on ? "failover.switchedOff" : "failover.switchedOn") });
    },
    onError: showError,
  });
  return (
    <Notice
      tone={on ? "calm" : "warn"}
      icon={on ? ShieldCheck : ShieldOff}
      title={t(on ? "failover.installationOn" : "failover.installationOff")}
      actions={
        admin && (
          <Button small busy={switching.isPending} onClick={() => switching.mutate()}>
            {t(on ? "failover.switchOff" : "failover.switchOn")}
          </Button>
        )
      }
    >
      {t(on ? "failover.installationOnHint" : admin ? "failover.installationOffHint" : "failover.installationAsk")}
    </Notice>
  );
}

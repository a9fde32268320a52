import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CircleAlert, CircleCheck, Stethoscope } from "lucide-react";
import { useTranslation } from "react-i18next";
import { providersQuery } from "@/api/queries";
import { useMay } from "@/api/session";
import { checkProvider } from "@/api/settings";
import type { ProviderStatus } from "@/api/types";
import { serverWords } from "@/i18n/serverWords";
import { Button } from "@/ui/Button";
import { Lamp, type LampState } from "@/ui/Lamp";
import { Notice } from "@/ui/Layouts";
import { useFormats } from "@/ui/useFormats";
import { useShowError } from "@/ui/useToasts";

const LAMPS: Record<ProviderStatus["state"], LampState> = { usable: "lit", down: "alarm", refused: "alarm", unknown: "waiting", not_configured: "off" };

/** One provider: what it is for, how it stands, and what it says when it is asked now. */
export function ProviderRow({ provider }: { provider: ProviderStatus }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const showError = useShowError();
  const { dateTime } = useFormats();
  const mayAsk = useMay("write");
  const checking = useMutation({
    mutationFn: () => checkProvider(provider.id),
    onSettled: () => void client.invalidateQueries({ queryKey: providersQuery.queryKey }),
    onError: showError,
  });
  const answer = checking.data;
  const name = t([`providers.${provider.type}`, provider.type]);
  const failing = provider.state === "down" || provider.state === "refused" || (provider.state === "not_configured" && provider.agents.length > 0);
  const words = [provider.last_error, provider.hint].filter(Boolean).map((text) => serverWords(t, text)).join(" ");
  return (
    <li className="grid gap-3 py-4 first:pt-0 last:pb-0">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="grid min-w-0 flex-1 basis-64 gap-1">
          <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <span className="font-semibold">{name}</span>
            <Lamp state={LAMPS[provider.state]} label={t(`settings.providerIs.${provider.state}`)} />
          </p>
          <p className="text-sm text-ink-soft">
            {provider.services.map((service) => t(`fields.${service}`)).join(", ")}
            {provider.agents.length > 0 && ` · ${t("settings.usedBy", { agents: provider.agents.join(", ") })}`}
          </p>
          {provider.server && <p className="numbers text-sm break-all text-ink-soft">{provider.server}</p>}
          {provider.checked_at && <p className="text-sm text-ink-faint">{t("settings.checkedAt", { time: dateTime(provider.checked_at) })}</p>}
          {!failing && !answer && provider.state === "not_configured" && <p className="text-sm text-ink-soft">{words}</p>}
        </div>
        {mayAsk && (
          <Button small icon={Stethoscope} busy={checking.isPending} aria-label={t("settings.checkOne", { name: [name, provider.server].filter(Boolean).join(", ") })} onClick={() => checking.mutate()}>
            {t("settings.check")}
          </Button>
        )}
      </div>
      {checking.isPending ? (
        <p role="status">{t("settings.checking")}</p>
      ) : answer ? (
        <div role="status">
          <Notice tone={answer.ok ? "calm" : "alarm"} icon={answer.ok ? CircleCheck : CircleAlert} title={t(answer.ok ? "settings.canBeUsed" : "settings.cannotBeUsed")}>
            {[answer.detail, answer.hint].filter(Boolean).map((text) => serverWords(t, text)).join(" ")}
          </Notice>
        </div>
      ) : (
        failing && (
          <Notice tone="alarm" icon={CircleAlert}>
            {words}
          </Notice>
        )
      )}
    </li>
  );
}

import { useQuery } from "@tanstack/react-query";
import { ShieldAlert, ShieldOff } from "lucide-react";
import { useTranslation } from "react-i18next";
import { blankFailoverAction } from "@/agent/blank";
import type { FailoverAction, FailoverTab as Tab } from "@/agent/schema";
import { useAgentEditor } from "@/agents/editor";
import { settingsQuery } from "@/api/queries";
import { PartError, SwitchField } from "@/form/Fields";
import { FormContext } from "@/form/FormContext";
import { Notice, Section } from "@/ui/Layouts";
import { RadioCards } from "@/ui/RadioCards";
import { DefaultMessage } from "./DefaultMessage";
import { FailoverBar } from "./FailoverBar";
import { FailoverMessageFields, FailoverTransferFields, FailoverWorkflowFields } from "./FailoverActionFields";
import { FAILOVER_ICONS, FAILOVER_KINDS } from "./kinds";
import { ForcedFailover } from "./ForcedFailover";
import { InstallationSwitch } from "./InstallationSwitch";
import { TryPanel } from "./TryPanel";

/** What the caller gets when something fails before the agent can speak. Saved apart from the draft: it is live at once. */
export function FailoverTab() {
  const { t } = useTranslation();
  const { failover: editing, draft } = useAgentEditor();
  const settings = useQuery(settingsQuery);
  const { failover } = editing.draft;
  const outbound = draft.direction === "outbound";

  function choose(kind: FailoverAction["type"]) {
    if (failover.action?.type === kind) return;
    const kept = editing.live.failover.action;
    const action = kept?.type === kind ? kept : blankFailoverAction(kind, draft.language);
    editing.change((tab: Tab) => ({ ...tab, failover: { ...tab.failover, action } }));
  }

  return (
    <FormContext value={editing.form.context}>
      <div className="grid gap-6">
        <FailoverBar />
        {outbound ? (
          <Notice tone="warn" icon={ShieldOff} title={t("failover.outbound")}>
            {t("failover.outboundHint")}
          </Notice>
        ) : (
          <Section title={t("failover.title")} hint={t("failover.hint")}>
            {settings.data && <InstallationSwitch settings={settings.data} />}
            <SwitchField at={["failover", "enabled"]} label={t("fields.failoverEnabled")} hint={t(failover.enabled ? "failover.onHint" : "failover.offHint")} />
            {failover.enabled && (
              <>
                <Triggers />
                <RadioCards
                  legend={t("failover.action")}
                  value={failover.action?.type ?? ""}
                  onChange={(value) => choose(value as FailoverAction["type"])}
                  disabled={editing.form.context.readOnly}
                  cards={FAILOVER_KINDS.map((kind) => ({ value: kind, icon: FAILOVER_ICONS[kind], label: t(`failover.kind.${kind}`), hint: t(`failover.kindHint.${kind}`) }))}
                />
                <PartError at={["failover", "action"]} />
                {failover.action && failover.action.type !== editing.live.failover.action?.type && editing.live.failover.action && (
                  <Notice tone="warn" icon={ShieldAlert}>
                    {t("failover.kindChanged", { kind: t(`failover.kind.${editing.live.failover.action.type}`) })}
                  </Notice>
                )}
                {failover.action?.type === "message" && <FailoverMessageFields message={failover.action} />}
                {failover.action?.type === "transfer" && <FailoverTransferFields action={failover.action} />}
                {failover.action?.type === "workflow" && <FailoverWorkflowFields />}
                <SwitchField at={["failover", "during_call"]} label={t("fields.during_call")} hint={t("failover.duringCallHint")} />
                <Notice
                  tone="warn"
                  icon={ShieldAlert}
                  actions={
                    !editing.form.context.readOnly && (
                      <a href="#try" className="text-sm font-semibold text-brand-strong underline">
                        {t("failover.try.title")}
                      </a>
                    )
                  }
                >
                  {t("failover.testNotice")}
                </Notice>
              </>
            )}
          </Section>
        )}
        {!outbound && <ForcedFailover />}
        <DefaultMessage />
        {!outbound && <TryPanel installationOn={settings.data?.document.failover_enabled} />}
      </div>
    </FormContext>
  );
}

function Triggers() {
  const { t } = useTranslation();
  return (
    <details className="rounded-control bg-surface px-4 py-2 ring-1 ring-line">
      <summary className="py-1 font-semibold">{t("failover.triggers")}</summary>
      <ul className="my-2 list-disc space-y-1 pl-5 text-sm">
        {(["preCall", "configuration", "prompt", "unavailable"] as const).map((key) => (
          <li key={key}>{t(`failover.trigger.${key}`)}</li>
        ))}
      </ul>
    </details>
  );
}

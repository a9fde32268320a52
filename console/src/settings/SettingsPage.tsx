import { useQuery } from "@tanstack/react-query";
import { Lock, Save } from "lucide-react";
import { useEffect, useRef } from "react";
import { Outlet, useLocation } from "react-router";
import { useTranslation } from "react-i18next";
import { settingsQuery } from "@/api/queries";
import type { SettingsResource } from "@/api/types";
import { LeaveGuard } from "@/agents/LeaveGuard";
import { StaleDialog } from "@/agents/StaleDialog";
import { FormContext } from "@/form/FormContext";
import { Button } from "@/ui/Button";
import { Notice, PageHeader, Skeleton } from "@/ui/Layouts";
import { TabLinks } from "@/ui/TabLinks";
import { DOCUMENT_TABS, TABS, tabOf } from "./tabs";
import { SettingsContext, useSettingsState } from "./useSettingsState";

/** Everything that is the same for all agents, and who may do what. */
export function SettingsPage() {
  const settings = useQuery(settingsQuery);
  if (settings.error && !settings.data) throw settings.error;
  return settings.data ? <Settings loaded={settings.data} /> : <Skeleton rows={6} />;
}

function Settings({ loaded }: { loaded: SettingsResource }) {
  const { t } = useTranslation();
  const state = useSettingsState(loaded);
  const { pathname } = useLocation();
  const tabs = useRef<HTMLDivElement>(null);
  useEffect(() => tabs.current?.querySelector('[aria-current="page"]')?.scrollIntoView({ block: "nearest", inline: "center" }), [pathname]);
  const onDocument = DOCUMENT_TABS.some((tab) => pathname.startsWith(`/settings/${tab}`));
  const problems = (tab: string) => state.form.shown.filter((problem) => tabOf(problem.path) === tab).length;
  return (
    <SettingsContext value={loaded}>
      <FormContext value={state.form.context}>
        <PageHeader
          title={t("nav.settings")}
          hint={t("settings.hint")}
          actions={
            !state.readOnly &&
            (onDocument || state.dirty) && (
              <>
                {state.dirty && <Button onClick={state.discard}>{t("settings.discard")}</Button>}
                <Button look="primary" icon={Save} disabled={!state.dirty} busy={state.saving} onClick={state.save}>
                  {t("ui.save")}
                </Button>
              </>
            )
          }
        />
        <div ref={tabs}>
          <TabLinks
            label={t("settings.parts")}
            tabs={TABS.map((tab) => ({ to: tab, label: t(`settings.tab.${tab}`), problems: problems(tab), problemsLabel: t("editor.problems", { count: problems(tab) }) }))}
          />
        </div>
        <div className="grid gap-6">
          {state.readOnly && onDocument && (
            <Notice tone="info" icon={Lock} title={t("settings.readOnly")}>
              {t("settings.readOnlyHint")}
            </Notice>
          )}
          <Outlet />
        </div>
        {state.theirs && <StaleDialog base={state.base} mine={state.draft} theirs={state.theirs.document} onKeep={state.keep} onClose={state.later} />}
        <LeaveGuard dirty={state.dirty && !state.readOnly} own="/settings" />
      </FormContext>
    </SettingsContext>
  );
}

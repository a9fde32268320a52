import { useMemo, useState } from "react";
import { Outlet } from "react-router";
import { useTranslation } from "react-i18next";
import type { AgentDraft, LiveFailover } from "@/api/types";
import { FormContext } from "@/form/FormContext";
import { variablesOf, VariablesContext } from "@/form/variables";
import { countryOfLanguage } from "@/phone/numbers";
import { TalkDrawer } from "@/talk/TalkDrawer";
import { TabLinks } from "@/ui/TabLinks";
import { EditorBar } from "./EditorBar";
import { AgentEditorContext } from "./editor";
import { LeaveGuard } from "./LeaveGuard";
import { PublishDialog } from "./PublishDialog";
import { StaleDialog } from "./StaleDialog";
import { TABS, tabOf } from "./tabs";
import { useEditorState } from "./useEditorState";

/** Everything about one agent: its parts in tabs, one draft behind them all. */
export function AgentEditor({ loaded, failover }: { loaded: AgentDraft; failover: LiveFailover }) {
  const { t } = useTranslation();
  const { editor, stale, resolve } = useEditorState(loaded, failover);
  const [publishing, setPublishing] = useState(false);
  const [talking, setTalking] = useState(false);
  const variables = useMemo(() => variablesOf(editor.draft.path), [editor.draft.path]);
  const problems = (tab: string) =>
    tab === "failover" ? editor.failover.form.shown.length : editor.form.shown.filter((problem) => tabOf(problem.path) === tab).length;

  return (
    <AgentEditorContext value={editor}>
      <VariablesContext value={variables}>
        <FormContext value={editor.form.context}>
          <EditorBar onPublish={() => setPublishing(true)} onTalk={() => setTalking(true)} />
          <TabLinks
            label={t("editor.parts")}
            tabs={TABS.map((tab) => ({ to: tab, label: t(`editor.tab.${tab}`), problems: problems(tab), problemsLabel: t("editor.problems", { count: problems(tab) }) }))}
          />
          <Outlet />
          {stale && <StaleDialog base={editor.base} mine={editor.draft} theirs={stale.theirs} onKeep={(document) => void resolve.keep(document)} onClose={resolve.later} />}
          {publishing && <PublishDialog onClose={() => setPublishing(false)} />}
          {talking && (
            <TalkDrawer
              agent={{ id: editor.id, name: editor.base.name, liveVersion: editor.liveVersion }}
              draft
              country={countryOfLanguage(editor.draft.language)}
              unsaved={{ dirty: editor.dirty, save: editor.save, saving: editor.saving }}
              onClose={() => setTalking(false)}
            />
          )}
          <LeaveGuard dirty={editor.dirty || editor.failover.dirty} own={`/agents/${editor.id}`} />
        </FormContext>
      </VariablesContext>
    </AgentEditorContext>
  );
}

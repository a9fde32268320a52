import { useMutation, useQueryClient } from "@tanstack/react-query";
import { createContext, useCallback, useContext, useState } from "react";
import { useTranslation } from "react-i18next";
import { combine, same } from "@/agent/differences";
import { settingsQuery } from "@/api/queries";
import { Problem } from "@/api/problem";
import { useMay } from "@/api/session";
import { getSettings, saveSettings } from "@/api/settings";
import type { InstallationSettings, SettingsResource } from "@/api/types";
import { useDocumentForm } from "@/form/FormContext";
import { setAt, type Segment } from "@/form/paths";
import { useShowError, useToasts } from "@/ui/useToasts";
import { begin, follow, isDirty } from "./editing";
import { settings as schema } from "./schema";

/** The settings as they are stored; what a part shows that is about calls of today. */
export const SettingsContext = createContext<SettingsResource | null>(null);

export function useStoredSettings(): SettingsResource {
  const stored = useContext(SettingsContext);
  if (!stored) throw new Error("no settings are shown");
  return stored;
}

/** One document behind several parts: editing it, saving it, and what to do when somebody else saved meanwhile. */
export function useSettingsState(loaded: SettingsResource) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { show } = useToasts();
  const showError = useShowError();
  const readOnly = !useMay("admin");
  const [state, setState] = useState(() => begin(loaded));
  const [seen, setSeen] = useState(loaded);
  const [theirs, setTheirs] = useState<SettingsResource | null>(null);
  if (loaded !== seen) {
    setSeen(loaded);
    setState(follow(state, loaded));
  }
  const change = useCallback((path: readonly Segment[], next: unknown) => setState((all) => ({ ...all, draft: setAt(all.draft, path, next) })), []);
  const form = useDocumentForm(schema, state.draft, change, readOnly);

  const saving = useMutation({
    mutationFn: ({ document, revision }: { document: InstallationSettings; revision: number }) => saveSettings(document, revision),
    onSuccess: (saved, sent) => {
      setState((all) => ({ ...begin(saved), draft: combine(sent.document, all.draft, saved.document) }));
      client.setQueryData(settingsQuery.queryKey, saved);
      form.reset();
      show({ kind: "done", text: t("settings.saved"), detail: t("settings.savedDetail") });
    },
    onError: async (error) => {
      if (error instanceof Problem && error.stale) {
        await getSettings().then(setTheirs, showError);
        return;
      }
      if (error instanceof Problem && error.notLive) void client.invalidateQueries({ queryKey: settingsQuery.queryKey });
      if (error instanceof Problem && error.body.errors) form.refused(error.body.errors);
      showError(error);
    },
  });

  function save() {
    form.reveal();
    if (form.valid) saving.mutate({ document: state.draft, revision: state.revision });
    else show({ kind: "failed", text: t("editor.invalid", { count: form.problems.length }), detail: t("editor.invalidDetail") });
  }

  /** Go on with a document, made from what is stored now. */
  function keep(document: InstallationSettings) {
    if (!theirs) return;
    setTheirs(null);
    setState({ base: theirs.document, draft: document, revision: theirs.revision });
    if (same(document, theirs.document)) client.setQueryData(settingsQuery.queryKey, theirs);
    else saving.mutate({ document, revision: theirs.revision });
  }

  return {
    ...state,
    form,
    readOnly,
    dirty: isDirty(state),
    saving: saving.isPending,
    save,
    discard: () => {
      setState((all) => ({ ...all, draft: all.base }));
      form.reset();
    },
    theirs,
    keep,
    later: () => setTheirs(null),
  };
}

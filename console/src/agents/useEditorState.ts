import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useCallback, useReducer, useState } from "react";
import { useTranslation } from "react-i18next";
import { same } from "@/agent/differences";
import { agent as agentSchema, type Agent } from "@/agent/schema";
import { getAgent, saveAgent } from "@/api/agents";
import { Problem } from "@/api/problem";
import { useMay } from "@/api/session";
import type { AgentDraft, LiveFailover } from "@/api/types";
import { useDocumentForm } from "@/form/FormContext";
import type { Segment } from "@/form/paths";
import { useShowError, useToasts } from "@/ui/useToasts";
import { begin, editing, isDirty } from "./editing";
import type { AgentEditor } from "./editor";
import { useFailoverState } from "./useFailoverState";

export interface Stale {
  theirs: Agent;
  revision: number;
}

/** The state of the editor: the draft, saving it, and what to do when somebody else saved meanwhile. */
export function useEditorState(loaded: AgentDraft, failover: LiveFailover) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { show } = useToasts();
  const showError = useShowError();
  const readOnly = !useMay("write");
  const [state, dispatch] = useReducer(editing, loaded, (draft) => begin(draft.document, draft.revision));
  const [liveVersion, setLiveVersion] = useState(loaded.live_version);
  const [stale, setStale] = useState<Stale | null>(null);

  const change = useCallback((path: readonly Segment[], next: unknown) => dispatch({ type: "changed", path, next, at: Date.now() }), []);
  const form = useDocumentForm(agentSchema, state.draft, change, readOnly);

  const refresh = useCallback(() => {
    void client.invalidateQueries({ queryKey: ["agents"], exact: true });
    void client.invalidateQueries({ queryKey: ["agents", loaded.id, "versions"] });
  }, [client, loaded.id]);

  const saving = useMutation({
    mutationFn: ({ document, revision }: { document: Agent; revision: number }) => saveAgent(loaded.id, document, revision),
    onSuccess: (saved, sent) => {
      dispatch({ type: "saved", document: saved.document, revision: saved.revision, sent: sent.document });
      form.reset();
      refresh();
    },
  });

  async function store(document: Agent, revision: number): Promise<boolean> {
    try {
      await saving.mutateAsync({ document, revision });
      show({ kind: "done", text: t("editor.saved"), detail: t("editor.savedDetail") });
      return true;
    } catch (error) {
      if (error instanceof Problem && error.stale) {
        const current = await getAgent(loaded.id);
        setStale({ theirs: current.document, revision: current.revision });
      } else {
        if (error instanceof Problem && error.body.errors) form.refused(error.body.errors);
        showError(error);
      }
      return false;
    }
  }

  async function save(): Promise<boolean> {
    form.reveal();
    if (!form.valid) {
      show({ kind: "failed", text: t("editor.invalid", { count: form.problems.length }), detail: t("editor.invalidDetail") });
      return false;
    }
    return store(state.draft, state.revision);
  }

  const reload = useCallback(async () => {
    const current = await getAgent(loaded.id);
    dispatch({ type: "saved", document: current.document, revision: current.revision });
    setLiveVersion(current.live_version);
    refresh();
  }, [loaded.id, refresh]);

  const failoverEditing = useFailoverState(loaded.id, failover, state.revision, readOnly, (saved, madeFrom) => {
    dispatch({ type: "failoverSaved", tab: { failover: saved.failover, default_error_message: saved.default_error_message }, madeFrom, revision: saved.revision });
    setLiveVersion(saved.live_version);
    refresh();
  });

  const editor: AgentEditor = {
    id: loaded.id,
    draft: state.draft,
    base: state.base,
    dirty: isDirty(state),
    readOnly,
    liveVersion,
    form,
    edit: useCallback((edit) => dispatch({ type: "edited", edit }), []),
    undo: useCallback(() => dispatch({ type: "undone" }), []),
    redo: useCallback(() => dispatch({ type: "redone" }), []),
    canUndo: state.past.length > 0,
    canRedo: state.future.length > 0,
    save,
    saving: saving.isPending,
    revision: state.revision,
    reload,
    failover: failoverEditing,
  };

  return {
    editor,
    stale,
    resolve: {
      /** Go on with a document, made from what is stored now. */
      keep: async (document: Agent) => {
        if (!stale) return;
        const { theirs, revision } = stale;
        setStale(null);
        dispatch({ type: "replaced", base: theirs, draft: document, revision });
        if (!same(document, theirs)) await store(document, revision);
      },
      later: () => setStale(null),
    },
  };
}

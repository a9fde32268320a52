import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { combine, same } from "@/agent/differences";
import { Problem } from "@/api/problem";
import { secretsQuery, workflowsQuery } from "@/api/queries";
import { useMay } from "@/api/session";
import type { WorkflowResource, WorkflowRun } from "@/api/types";
import { getWorkflow, saveWorkflow, tryWorkflow } from "@/api/workflows";
import { useDocumentForm, type DocumentForm } from "@/form/FormContext";
import { setAt, type Segment } from "@/form/paths";
import { useShowError, useToasts } from "@/ui/useToasts";
import type { Workflow } from "./document";
import { formPath, toDocument, toDraft, type WorkflowDraft } from "./draft";
import type { WorkflowEditor } from "./editor";
import { firstSample, sampleFor } from "./sample";
import { workflowForm } from "./schema";

interface State {
  /** As it is stored. */
  base: WorkflowDraft;
  draft: WorkflowDraft;
  revision: number;
}

export interface StaleWorkflow {
  theirs: WorkflowDraft;
  revision: number;
}

/** The state of the editor: the draft, saving it, what to do when somebody else saved meanwhile, and trying it. */
export function useWorkflowState(loaded: WorkflowResource) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { show } = useToasts();
  const showError = useShowError();
  const readOnly = !useMay("write");
  const [state, setState] = useState<State>(() => {
    const base = toDraft(loaded.document);
    return { base, draft: base, revision: loaded.revision };
  });
  const [stale, setStale] = useState<StaleWorkflow | null>(null);
  const [open, setOpened] = useState<ReadonlySet<string>>(() => new Set());
  const change = useCallback((path: readonly Segment[], next: unknown) => setState((all) => ({ ...all, draft: setAt(all.draft, path, next) })), []);
  const edit = useCallback((made: (draft: WorkflowDraft) => WorkflowDraft) => setState((all) => ({ ...all, draft: made(all.draft) })), []);
  const form = useDocumentForm(workflowForm, state.draft, change, readOnly);
  const { draft } = state;

  const saving = useMutation({
    mutationFn: (wanted: { draft: WorkflowDraft; document: Workflow; revision: number }) => saveWorkflow(loaded.id, wanted.document, wanted.revision),
    onSuccess: (saved, { draft: sent }) => {
      settle(saved, sent);
      show({ kind: "done", text: t("workflows.saved"), detail: t(`workflows.savedDetail.${saved.document.status}`) });
    },
  });

  /** What was sent is stored; what was typed since stays to be saved. */
  function settle(saved: WorkflowResource, sent: WorkflowDraft): void {
    const base = toDraft(saved.document);
    setState((all) => ({ base, draft: combine(sent, all.draft, base), revision: saved.revision }));
    form.reset();
    void client.invalidateQueries({ queryKey: workflowsQuery.queryKey, exact: true });
  }

  /** Whether what was sent can be looked at by the server; else what is wrong is shown. */
  function sound(): boolean {
    form.reveal();
    if (form.valid) return true;
    show({ kind: "failed", text: t("editor.invalid", { count: form.problems.length }), detail: t("editor.invalidDetail") });
    return false;
  }

  async function store(wanted: WorkflowDraft, revision: number): Promise<void> {
    const document = toDocument(wanted);
    try {
      await saving.mutateAsync({ draft: wanted, document, revision });
    } catch (error) {
      if (error instanceof Problem && error.notLive) void getWorkflow(loaded.id).then((current) => settle(current, wanted), showError);
      if (!(error instanceof Problem && error.stale)) return told(error, document);
      try {
        const current = await getWorkflow(loaded.id);
        setStale({ theirs: toDraft(current.document), revision: current.revision });
      } catch (gone) {
        showError(gone);
      }
    }
  }

  function told(error: unknown, document: Workflow): void {
    if (error instanceof Problem && error.body.errors) form.refused(error.body.errors.map(({ path, message }) => ({ path: formPath(document, path), message })));
    showError(error);
  }

  const editor: WorkflowEditor = {
    id: loaded.id,
    draft,
    edit,
    stored: useMemo(() => toDocument(state.base), [state.base]),
    dirty: !same(state.base, draft),
    readOnly,
    form,
    save: async () => {
      if (sound()) await store(draft, state.revision);
    },
    saving: saving.isPending,
    open,
    setOpen: useCallback((id, wanted) => setOpened((all) => (wanted ? new Set(all).add(id) : new Set([...all].filter((other) => other !== id)))), []),
    trying: useTrying(loaded.id, draft, form, sound, told),
  };

  return {
    editor,
    base: state.base,
    stale,
    resolve: {
      /** Go on with a document, made from what is stored now. */
      keep: async (wanted: WorkflowDraft) => {
        if (!stale) return;
        setStale(null);
        setState({ base: stale.theirs, draft: wanted, revision: stale.revision });
        if (!same(wanted, stale.theirs)) await store(wanted, stale.revision);
      },
      later: () => setStale(null),
    },
  };
}

function useTrying(id: string, draft: WorkflowDraft, form: DocumentForm, sound: () => boolean, told: (error: unknown, document: Workflow) => void): WorkflowEditor["trying"] {
  const { i18n } = useTranslation();
  const client = useQueryClient();
  const [given, setGiven] = useState<{ trigger: string; sample: WorkflowEditor["trying"]["sample"] } | null>(null);
  const [refused, setRefused] = useState<string | null>(null);
  // what it is tried with follows its trigger until the person gives something else
  const sample = given?.trigger === draft.trigger ? given.sample : firstSample(draft, i18n.language === "fr" ? "fr-FR" : "en-GB");
  const running = useMutation<WorkflowRun, unknown, Workflow>({
    mutationFn: (document) => tryWorkflow(id, document, sampleFor(document, sample)),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["workflows", id, "runs"] });
      void client.invalidateQueries({ queryKey: secretsQuery.queryKey });
    },
    onError: (error, document) => {
      const wrong = error instanceof Problem ? error.body.errors?.find(({ path }) => path.startsWith("sample")) : undefined;
      if (wrong) setRefused(`${wrong.path.replace(/^sample\.?/, "")}: ${wrong.message}`);
      told(error, document);
    },
  });
  return {
    sample,
    setSample: (next) => {
      setRefused(null);
      setGiven({ trigger: draft.trigger, sample: next });
    },
    refused,
    start: () => {
      setRefused(null);
      form.reset();
      if (sound()) running.mutate(toDocument(draft));
    },
    running: running.isPending,
    run: running.data ?? null,
  };
}

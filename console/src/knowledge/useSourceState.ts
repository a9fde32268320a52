import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { combine, same } from "@/agent/differences";
import { getSource, saveSource } from "@/api/knowledge";
import { Problem } from "@/api/problem";
import { dataSourcesQuery } from "@/api/queries";
import type { DataSource, DataSourceResource } from "@/api/types";
import { useDocumentForm } from "@/form/FormContext";
import { setAt, type Segment } from "@/form/paths";
import { useShowError, useToasts } from "@/ui/useToasts";
import type { SourceEditing } from "./editor";
import { dataSource } from "./schema";
import { documentsQuery } from "./useDocuments";

interface Kept {
  document: DataSource;
  revision: number;
}

/** The settings of a data source while they are edited, and saving them without overwriting what was not seen. */
export function useSourceState(loaded: DataSourceResource, readOnly: boolean) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { show } = useToasts();
  const showError = useShowError();
  const [stored, setStored] = useState<Kept>(loaded);
  const [draft, setDraft] = useState(loaded.document);
  const [theirs, setTheirs] = useState<Kept | null>(null);
  const change = useCallback((path: readonly Segment[], next: unknown) => setDraft((all) => setAt(all, path, next)), []);
  const form = useDocumentForm(dataSource, draft, change, readOnly);

  const saving = useMutation({
    mutationFn: ({ document, revision }: Kept) => saveSource(loaded.id, document, revision),
    onSuccess: (saved, { document }) => {
      settle(saved, document);
      show({ kind: "done", text: t("knowledge.saved"), detail: t("knowledge.savedDetail") });
    },
    onError: async (error, { document }) => {
      if (error instanceof Problem && error.notLive) settle(await getSource(loaded.id), document);
      if (error instanceof Problem && error.stale) return setTheirs(await getSource(loaded.id));
      if (error instanceof Problem && error.body.errors) form.refused(error.body.errors);
      showError(error);
    },
  });

  /** What was sent is stored; what was typed since stays to be saved. */
  function settle(saved: Kept, sent: DataSource): void {
    setStored(saved);
    setDraft((all) => combine(sent, all, saved.document));
    form.reset();
    void client.invalidateQueries({ queryKey: dataSourcesQuery.queryKey, exact: true });
    void client.invalidateQueries({ queryKey: documentsQuery(loaded.id).queryKey });
  }

  function save() {
    form.reveal();
    if (form.valid) saving.mutate({ document: draft, revision: stored.revision });
    else show({ kind: "failed", text: t("editor.invalid", { count: form.problems.length }), detail: t("editor.invalidDetail") });
  }

  const editing: SourceEditing = {
    id: loaded.id,
    stored: stored.document,
    draft,
    dirty: !same(draft, stored.document),
    saving: saving.isPending,
    readOnly,
    save,
  };
  return {
    editing,
    form,
    theirs: theirs?.document,
    /** Go on with a document, made from what is stored now. */
    keep: (document: DataSource) => {
      if (!theirs) return;
      setStored(theirs);
      setDraft(document);
      setTheirs(null);
      if (!same(document, theirs.document)) saving.mutate({ document, revision: theirs.revision });
    },
    later: () => setTheirs(null),
    /** Nothing is to be kept: the data source is gone. */
    forget: () => setDraft(stored.document),
  };
}

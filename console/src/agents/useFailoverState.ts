import { useMutation } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { same } from "@/agent/differences";
import { failoverTab, type FailoverTab } from "@/agent/schema";
import { getFailover, saveFailover } from "@/api/agents";
import { Problem } from "@/api/problem";
import type { LiveFailover } from "@/api/types";
import { useDocumentForm } from "@/form/FormContext";
import { setAt, type Segment } from "@/form/paths";
import { useShowError, useToasts } from "@/ui/useToasts";
import type { FailoverEditing } from "./editor";

const tabOf = ({ failover, default_error_message }: LiveFailover): FailoverTab => ({ failover, default_error_message });

/** The failover tab: edited apart from the draft, because saving it counts from the next call. */
export function useFailoverState(id: string, loaded: LiveFailover, revision: number, readOnly: boolean, saved: (tab: LiveFailover, madeFrom: number) => void): FailoverEditing {
  const { t } = useTranslation();
  const { show } = useToasts();
  const showError = useShowError();
  const [live, setLive] = useState(() => tabOf(loaded));
  const [draft, setDraft] = useState(live);
  const [known, setKnown] = useState(0);
  const change = useCallback((path: readonly Segment[], next: unknown) => setDraft((tab) => setAt(tab, path, next)), []);
  const form = useDocumentForm(failoverTab, draft, change, readOnly);

  const saving = useMutation({
    mutationFn: (madeFrom: number) => saveFailover(id, draft, madeFrom),
    onSuccess: (answer, madeFrom) => {
      setLive(tabOf(answer));
      setDraft(tabOf(answer));
      form.reset();
      saved(answer, madeFrom);
      show({ kind: "done", text: t("failover.saved"), detail: t(answer.live_version === null ? "failover.savedDraft" : "failover.savedLive") });
    },
    onError: async (error, madeFrom): Promise<void> => {
      if (error instanceof Problem && error.stale) return again(madeFrom);
      if (error instanceof Problem && error.body.errors) form.refused(error.body.errors);
      showError(error);
    },
  });

  /** Somebody saved the agent meanwhile. Where they left this tab alone, it is saved all the same; else it shows what differs. */
  async function again(madeFrom: number): Promise<void> {
    const current = await getFailover(id);
    setKnown(current.revision);
    if (same(tabOf(current), live) && current.revision !== madeFrom) {
      saving.mutate(current.revision);
      return;
    }
    setLive(tabOf(current));
    show({ kind: "failed", text: t("stale.title"), detail: t("failover.stale") });
  }

  return {
    live,
    draft,
    dirty: !same(live, draft),
    form,
    change: setDraft,
    saving: saving.isPending,
    discard: () => {
      setDraft(live);
      form.reset();
    },
    save: async () => {
      form.reveal();
      if (form.valid) await saving.mutateAsync(Math.max(known, revision)).catch(() => undefined);
      else show({ kind: "failed", text: t("editor.invalid", { count: form.problems.length }), detail: t("editor.invalidDetail") });
    },
  };
}

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ArrowLeft, Save, Trash2 } from "lucide-react";
import { useCallback, useState } from "react";
import { Link, useNavigate } from "react-router";
import { useTranslation } from "react-i18next";
import { combine, same } from "@/agent/differences";
import { request } from "@/api/client";
import { Problem } from "@/api/problem";
import { connectionsQuery } from "@/api/queries";
import { useMay } from "@/api/session";
import type { SipConnection, SipConnectionResource } from "@/api/types";
import { LeaveGuard } from "@/agents/LeaveGuard";
import { FormContext, useDocumentForm } from "@/form/FormContext";
import { setAt, type Segment } from "@/form/paths";
import { Button } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import { PageHeader } from "@/ui/Layouts";
import { useShowError, useToasts } from "@/ui/useToasts";
import { ConnectionFields } from "./ConnectionFields";
import { ConnectionTestButton } from "./ConnectionTestButton";
import { TestCall } from "./TestCall";
import { blankConnection, sipConnection } from "./schema";

export function ConnectionForm({ loaded }: { loaded: SipConnectionResource | null }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { show } = useToasts();
  const showError = useShowError();
  const readOnly = !useMay("write");
  const [stored, setStored] = useState(loaded);
  const [draft, setDraft] = useState(() => loaded?.document ?? blankConnection());
  const [asking, setAsking] = useState(false);
  const change = useCallback((path: readonly Segment[], next: unknown) => setDraft((all) => setAt(all, path, next)), []);
  const form = useDocumentForm(sipConnection, draft, change, readOnly);
  const dirty = !same(draft, stored?.document ?? blankConnection());

  const saving = useMutation({
    mutationFn: (sent: SipConnection) =>
      stored
        ? request<SipConnectionResource>("PUT", `/sip-connections/${stored.id}`, { body: sent, revision: stored.revision })
        : request<SipConnectionResource>("POST", "/sip-connections", { body: { document: sent } }),
    onSuccess: (saved, sent) => {
      setStored(saved);
      setDraft((all) => combine(sent, all, saved.document));
      form.reset();
      void client.invalidateQueries({ queryKey: connectionsQuery.queryKey, exact: true });
      show({ kind: "done", text: t("connections.saved"), detail: t("connections.savedDetail") });
      if (!stored) setTimeout(() => void navigate(`/connections/${saved.id}`, { replace: true }));
    },
    onError: (error) => {
      if (error instanceof Problem && error.body.errors) form.refused(error.body.errors);
      showError(error);
    },
  });
  const deleting = useMutation({
    mutationFn: () => request<undefined>("DELETE", `/sip-connections/${stored?.id}`),
    onSuccess: () => {
      setDraft(stored?.document ?? blankConnection());
      void client.invalidateQueries({ queryKey: connectionsQuery.queryKey, exact: true });
      setTimeout(() => void navigate("/connections"));
    },
    onError: showError,
  });

  function save() {
    form.reveal();
    if (form.valid) saving.mutate(draft);
    else show({ kind: "failed", text: t("editor.invalid", { count: form.problems.length }), detail: t("editor.invalidDetail") });
  }

  return (
    <FormContext value={form.context}>
      <PageHeader
        above={
          <Link to="/connections" className="inline-flex items-center gap-1.5 text-sm font-semibold text-brand-strong hover:underline">
            <ArrowLeft aria-hidden className="size-4" />
            {t("nav.connections")}
          </Link>
        }
        title={draft.name || t("connections.newTitle")}
        actions={
          !readOnly && (
            <>
              {stored && (
                <Button icon={Trash2} onClick={() => setAsking(true)}>
                  {t("ui.delete")}
                </Button>
              )}
              <Button look="primary" icon={Save} disabled={!dirty} busy={saving.isPending} onClick={save}>
                {t("ui.save")}
              </Button>
            </>
          )
        }
      />
      <div className="grid gap-6">
        {stored && <ConnectionTestButton id={stored.id} state={stored.state} disabled={readOnly} />}
        {stored && <TestCall id={stored.id} dirty={dirty} />}
        <ConnectionFields draft={draft} />
      </div>
      {asking && (
        <ConfirmDialog
          title={t("connections.deleteTitle", { name: draft.name })}
          description={t("connections.deleteHint")}
          action={t("ui.delete")}
          busy={deleting.isPending}
          onConfirm={() => deleting.mutate()}
          onClose={() => setAsking(false)}
        />
      )}
      <LeaveGuard dirty={dirty && !readOnly} own={stored ? `/connections/${stored.id}` : "/connections/new"} />
    </FormContext>
  );
}

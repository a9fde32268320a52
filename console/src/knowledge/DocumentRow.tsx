import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CircleAlert, FileText, Globe, RotateCw, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { useTranslation } from "react-i18next";
import { deleteDocument, retryDocument } from "@/api/knowledge";
import { Problem } from "@/api/problem";
import type { KnowledgeDocument } from "@/api/types";
import { IconButton } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import { Lamp, type LampState } from "@/ui/Lamp";
import { useFormats } from "@/ui/useFormats";
import { useShowError, useToasts } from "@/ui/useToasts";
import { bytesText } from "./bytes";
import { ProgressBar } from "./ProgressBar";
import { reason } from "./reasons";
import { documentsQuery, isPending } from "./useDocuments";

const LAMPS: Record<KnowledgeDocument["state"], LampState> = { waiting: "waiting", reading: "changed", ready: "lit", refused: "alarm" };

interface DocumentRowProps {
  source: string;
  document: KnowledgeDocument;
  /** A page that the data source's settings list: it is taken out there. */
  listed: boolean;
  readOnly: boolean;
}

/** One document: how it stands, what is wrong with it, reading it again, deleting it. */
export function DocumentRow({ source, document, listed, readOnly }: DocumentRowProps) {
  const { t } = useTranslation();
  const { dateTime, number } = useFormats();
  const Icon = document.url ? Globe : FileText;
  const facts = [
    document.size > 0 ? bytesText(t, document.size) : "",
    document.searchable ? t("knowledge.passages", { count: document.passages, shown: number(document.passages) }) : "",
    dateTime(document.updated_at),
  ].filter(Boolean);
  return (
    <li className="flex items-start gap-3 px-2 py-3">
      <Icon aria-hidden className="mt-0.5 size-5 shrink-0 text-ink-soft" />
      <div className="grid min-w-0 flex-1 gap-1">
        <div className="flex flex-wrap items-baseline justify-between gap-x-4">
          <span className="min-w-0 font-semibold break-all">{document.name}</span>
          <Lamp state={LAMPS[document.state]} live={document.state === "reading"} label={t(`knowledge.state.${document.state}`)} />
        </div>
        <p className="numbers text-sm text-ink-soft">{facts.join(" · ")}</p>
        {document.state === "reading" && <ProgressBar label={t("knowledge.progress", { name: document.name })} percent={document.progress} />}
        {document.state === "refused" && (
          <p className="flex items-start gap-1.5 text-sm font-medium text-alarm">
            <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
            {reason(t, document.error)}
          </p>
        )}
        {document.searchable && document.state !== "ready" && <p className="text-sm text-ink-soft">{t(document.state === "refused" ? "knowledge.stillSearchedRefused" : "knowledge.stillSearched")}</p>}
        {listed && !readOnly && (
          <Link to="../settings" className="text-sm font-semibold text-brand-strong underline">
            {t("knowledge.listedPage")}
          </Link>
        )}
      </div>
      {!readOnly && (
        <span className="-my-1 flex">
          {(document.url !== null || document.state === "refused") && !isPending(document) && <Retry source={source} document={document} />}
          {!listed && <Delete source={source} document={document} />}
        </span>
      )}
    </li>
  );
}

function Retry({ source, document }: { source: string; document: KnowledgeDocument }) {
  const { t } = useTranslation();
  const refresh = useRefresh(source);
  const { show } = useToasts();
  const showError = useShowError();
  const retrying = useMutation({
    mutationFn: () => retryDocument(source, document.id),
    onSuccess: () => show({ kind: "done", text: t("knowledge.readAgainDone", { name: document.name }) }),
    onError: showError,
    onSettled: refresh,
  });
  return <IconButton icon={RotateCw} label={t("knowledge.readAgain", { name: document.name })} disabled={retrying.isPending} onClick={() => retrying.mutate()} />;
}

function Delete({ source, document }: { source: string; document: KnowledgeDocument }) {
  const { t } = useTranslation();
  const refresh = useRefresh(source);
  const { show } = useToasts();
  const showError = useShowError();
  const [asking, setAsking] = useState(false);
  const deleting = useMutation({
    mutationFn: () => deleteDocument(source, document.id),
    onSuccess: () => show({ kind: "done", text: t("knowledge.documentDeleted", { name: document.name }) }),
    onError: (error) => {
      if (!(error instanceof Problem && error.status === 404)) showError(error); // somebody else was faster
    },
    onSettled: () => {
      setAsking(false);
      refresh();
    },
  });
  return (
    <>
      <IconButton icon={Trash2} label={t("knowledge.delete", { name: document.name })} onClick={() => setAsking(true)} />
      {asking && (
        <ConfirmDialog
          title={t("knowledge.deleteDocumentTitle", { name: document.name })}
          description={t("knowledge.deleteDocumentHint")}
          action={t("ui.delete")}
          busy={deleting.isPending}
          onConfirm={() => deleting.mutate()}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}

function useRefresh(source: string) {
  const client = useQueryClient();
  return () => void client.invalidateQueries({ queryKey: documentsQuery(source).queryKey });
}

import { useMutation, useQuery } from "@tanstack/react-query";
import { History, RotateCcw } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { differences } from "@/agent/differences";
import { getVersion, restoreVersion } from "@/api/agents";
import { versionsQuery } from "@/api/queries";
import type { AgentVersion } from "@/api/types";
import { Button } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import { Lamp } from "@/ui/Lamp";
import { EmptyState, Section, Skeleton } from "@/ui/Layouts";
import { useFormats } from "@/ui/useFormats";
import { useShowError, useToasts } from "@/ui/useToasts";
import { DifferenceList } from "./DifferenceList";
import { useAgentEditor } from "./editor";

/** What was published and when; what differs from the draft; the way back. */
export function VersionsTab() {
  const { t } = useTranslation();
  const editor = useAgentEditor();
  const versions = useQuery(versionsQuery(editor.id));
  const [open, setOpen] = useState<number | null>(null);
  if (versions.error && !versions.data) throw versions.error;
  if (!versions.data) return <Skeleton />;
  if (versions.data.length === 0) return <EmptyState icon={History} title={t("versions.empty")} hint={t("versions.emptyHint")} />;
  return (
    <Section title={t("editor.tab.versions")} hint={t("versions.hint")}>
      <ol className="grid gap-3">
        {versions.data.map((item) => (
          <VersionRow key={item.version} item={item} open={open === item.version} onToggle={() => setOpen(open === item.version ? null : item.version)} />
        ))}
      </ol>
    </Section>
  );
}

function VersionRow({ item, open, onToggle }: { item: AgentVersion; open: boolean; onToggle: () => void }) {
  const { t } = useTranslation();
  const { dateTime } = useFormats();
  return (
    <li className="overflow-hidden rounded-control ring-1 ring-line">
      <div className="flex flex-wrap items-center justify-between gap-3 px-4 py-3">
        <div className="flex flex-wrap items-center gap-x-4">
          <span className="font-semibold">{t("versions.version", { version: item.version })}</span>
          <span className="text-sm text-ink-soft">{dateTime(item.published_at)}</span>
          {item.live && <Lamp state="lit" label={t("versions.live")} />}
        </div>
        <Button small aria-expanded={open} onClick={onToggle}>
          {t(open ? "versions.hide" : "versions.compare")}
        </Button>
      </div>
      {open && <VersionDifference version={item.version} />}
    </li>
  );
}

function VersionDifference({ version }: { version: number }) {
  const { t } = useTranslation();
  const editor = useAgentEditor();
  const { show } = useToasts();
  const showError = useShowError();
  const [asking, setAsking] = useState(false);
  const document = useQuery({ queryKey: ["agents", editor.id, "versions", version], queryFn: () => getVersion(editor.id, version), staleTime: Infinity });
  const restoring = useMutation({
    mutationFn: () => restoreVersion(editor.id, version, editor.revision),
    onSuccess: async () => {
      await editor.reload();
      setAsking(false);
      show({ kind: "done", text: t("versions.restored", { version }), detail: t("versions.restoredDetail") });
    },
    onError: showError,
  });
  if (document.error) throw document.error;
  const found = document.data ? differences(document.data, editor.draft) : [];
  return (
    <div className="grid gap-3 border-t border-line bg-surface px-4 py-4">
      {!document.data && <Skeleton rows={1} />}
      {document.data && found.length === 0 && <p>{t("versions.same")}</p>}
      {found.length > 0 && (
        <>
          <DifferenceList items={found} before={t("versions.version", { version })} after={t("versions.draft")} />
          <div>
            <Button icon={RotateCcw} disabled={editor.readOnly} onClick={() => setAsking(true)}>
              {t("versions.restore")}
            </Button>
          </div>
        </>
      )}
      {asking && (
        <ConfirmDialog
          title={t("versions.restoreTitle", { version })}
          description={t(editor.dirty ? "versions.restoreDirty" : "versions.restoreHint")}
          action={t("versions.restore")}
          danger={editor.dirty}
          busy={restoring.isPending}
          onConfirm={() => restoring.mutate()}
          onClose={() => setAsking(false)}
        />
      )}
    </div>
  );
}

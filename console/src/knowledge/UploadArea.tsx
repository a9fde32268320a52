import { useQueryClient } from "@tanstack/react-query";
import { CircleAlert, FileUp, RotateCw, X } from "lucide-react";
import { useId, useMemo, useState, useSyncExternalStore, type DragEvent } from "react";
import { useTranslation } from "react-i18next";
import { sendFile } from "@/api/knowledge";
import i18n from "@/i18n";
import { IconButton } from "@/ui/Button";
import { classes } from "@/ui/classes";
import { useToasts } from "@/ui/useToasts";
import { ProgressBar } from "./ProgressBar";
import { queueOf, type Upload, type UploadQueue } from "./uploads";
import { documentsQuery } from "./useDocuments";

const KINDS = ".pdf,.docx,.html,.htm,.md,.txt,.csv";

/** Files chosen or dropped, several at once, and how far their sending is. */
export function UploadArea({ id }: { id: string }) {
  const { t } = useTranslation();
  const hint = useId();
  const queue = useQueue(id);
  const uploads = useSyncExternalStore(queue.subscribe, queue.snapshot);
  const [over, setOver] = useState(false);

  function drop(event: DragEvent) {
    event.preventDefault();
    setOver(false);
    const { files, folders } = contentsOf(event.dataTransfer);
    queue.add(files);
    folders.forEach((name) => queue.addFolder(name));
  }

  return (
    <div className="grid gap-3">
      <label
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
        className={classes(
          "flex cursor-pointer items-center gap-4 rounded-card border-2 border-dashed p-5 transition-colors has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-brand hover:border-brand hover:bg-brand-wash",
          over ? "border-brand bg-brand-wash" : "border-line-strong bg-surface",
        )}
      >
        <span className="grid size-11 shrink-0 place-items-center rounded-full bg-brand-wash text-brand-strong">
          <FileUp aria-hidden className="size-5" />
        </span>
        <span className="grid min-w-0 gap-0.5">
          <span className="font-semibold">{t(over ? "knowledge.dropNow" : "knowledge.drop")}</span>
          <span id={hint} className="text-sm text-ink-soft">
            {t("knowledge.formats")}
          </span>
        </span>
        <input
          type="file"
          multiple
          accept={KINDS}
          aria-label={t("knowledge.drop")}
          aria-describedby={hint}
          className="sr-only"
          onChange={(event) => {
            queue.add([...(event.target.files ?? [])]);
            event.target.value = ""; // the same file may be chosen again
          }}
        />
      </label>
      {uploads.length > 0 && (
        <ul aria-label={t("knowledge.uploads")} className="grid gap-2">
          {uploads.map((upload) => (
            <UploadRow key={upload.key} upload={upload} queue={queue} />
          ))}
        </ul>
      )}
    </div>
  );
}

function UploadRow({ upload, queue }: { upload: Upload; queue: UploadQueue }) {
  const { t } = useTranslation();
  const { file, state, sent, fault } = upload;
  const percent = Math.round(sent * 100);
  return (
    <li className={classes("flex items-start gap-3 rounded-control px-3 py-2 ring-1", fault ? "bg-alarm-wash ring-alarm/40" : "bg-surface ring-line")}>
      <div className="grid min-w-0 flex-1 gap-1">
        <div className="flex flex-wrap items-baseline justify-between gap-x-4">
          <span className="min-w-0 font-semibold break-all">{file.name}</span>
          <span className="numbers text-sm text-ink-soft">{state === "failed" ? t("knowledge.notTaken") : t(`knowledge.${state}`, { percent })}</span>
        </div>
        {state === "sending" && <ProgressBar label={file.name} percent={percent} />}
        {fault && (
          <p role="alert" className="flex items-start gap-1.5 text-sm font-medium text-alarm">
            <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
            {"key" in fault ? t(`knowledge.fault.${fault.key}`) : `${fault.words} ${fault.hint}`}
          </p>
        )}
      </div>
      {state === "failed" && (
        <span className="-my-1 flex">
          {upload.again && <IconButton icon={RotateCw} label={t("knowledge.sendAgain", { name: file.name })} onClick={() => queue.retry(upload.key)} />}
          <IconButton icon={X} label={t("knowledge.putAway", { name: file.name })} onClick={() => queue.dismiss(upload.key)} />
        </span>
      )}
    </li>
  );
}

/** The queue of a data source; the browser asks before a page is closed that still sends. */
function useQueue(id: string): UploadQueue {
  const client = useQueryClient();
  const { show } = useToasts();
  const queue = useMemo(
    () =>
      queueOf(
        id,
        (file, progress) => sendFile(id, file, progress),
        ({ outcome, document }) => {
          void client.invalidateQueries({ queryKey: documentsQuery(id).queryKey });
          // In the language of that moment: the queue outlives the page.
          if (outcome !== "added") show({ kind: "done", text: i18n.t(`knowledge.${outcome}`, { name: document.name }) });
        },
      ),
    [id, client, show],
  );
  return queue;
}

/** What was dropped: files, and the names of folders, which browsers hand over like files. */
function contentsOf(transfer: DataTransfer): { files: File[]; folders: string[] } {
  const entries = [...transfer.items].filter((item) => item.kind === "file").map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  return {
    files: entries.flatMap(({ entry, file }) => (file && !entry?.isDirectory ? [file] : [])),
    folders: entries.flatMap(({ entry }) => (entry?.isDirectory ? [entry.name] : [])),
  };
}

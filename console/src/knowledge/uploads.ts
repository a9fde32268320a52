/** Files on their way to a data source, one after the other. They go on when the page is left, and are there when it is seen again. */
import { Problem, Unreachable } from "@/api/problem";
import type { TakenDocument } from "@/api/types";
import { MAX_DOCUMENT_BYTES } from "./schema";

export type Fault = { key: string } | { words: string; hint: string };

export interface Upload {
  key: number;
  file: File;
  state: "queued" | "sending" | "failed";
  /** From 0 to 1. */
  sent: number;
  fault: Fault | null;
  /** Sending it once more may work. */
  again: boolean;
}

type Send = (file: File, progress: (sent: number) => void) => Promise<TakenDocument>;
type Taken = (taken: TakenDocument) => void;

export class UploadQueue {
  private uploads: readonly Upload[] = [];
  private readonly watchers = new Set<() => void>();
  private next = 0;
  private working = false;

  constructor(
    private readonly send: Send,
    private readonly taken: Taken,
  ) {}

  readonly snapshot = (): readonly Upload[] => this.uploads;

  readonly subscribe = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  /** Whether closing the page would lose a file. */
  get busy(): boolean {
    return this.uploads.some((upload) => upload.state !== "failed");
  }

  add(files: readonly File[]): void {
    this.set([...this.uploads, ...files.map((file) => this.entry(file))]);
    void this.work();
  }

  /** What was dropped and is no file. */
  addFolder(name: string): void {
    this.set([...this.uploads, { ...this.entry(new File([], name)), state: "failed", fault: { key: "folder" }, again: false }]);
  }

  dismiss(key: number): void {
    this.set(this.uploads.filter((upload) => upload.key !== key || upload.state === "sending"));
  }

  retry(key: number): void {
    this.change(key, { state: "queued", sent: 0, fault: null });
    void this.work();
  }

  private entry(file: File): Upload {
    const key = this.next++;
    const fault = faultOf(file);
    return { key, file, state: fault ? "failed" : "queued", sent: 0, fault, again: false };
  }

  private async work(): Promise<void> {
    if (this.working) return;
    this.working = true;
    for (let upload = this.waiting(); upload; upload = this.waiting()) await this.one(upload);
    this.working = false;
  }

  private waiting(): Upload | undefined {
    return this.uploads.find((upload) => upload.state === "queued");
  }

  private async one({ key, file }: Upload): Promise<void> {
    this.change(key, { state: "sending" });
    try {
      const taken = await this.send(file, (sent) => this.change(key, { sent }));
      this.set(this.uploads.filter((upload) => upload.key !== key));
      this.taken(taken);
    } catch (error) {
      this.change(key, { state: "failed", sent: 0, ...failure(error) });
    }
  }

  private change(key: number, values: Partial<Upload>): void {
    this.set(this.uploads.map((upload) => (upload.key === key ? { ...upload, ...values } : upload)));
  }

  private set(uploads: readonly Upload[]): void {
    this.uploads = uploads;
    for (const watcher of this.watchers) watcher();
  }
}

/** What can be said of a file before it is sent. */
function faultOf(file: File): Fault | null {
  if (file.size === 0) return { key: "empty" };
  return file.size > MAX_DOCUMENT_BYTES ? { key: "tooBig" } : null;
}

function failure(error: unknown): { fault: Fault; again: boolean } {
  if (error instanceof Problem) return { fault: error.status === 413 ? { key: "tooBig" } : { words: error.body.detail, hint: error.body.hint ?? "" }, again: error.status !== 413 };
  return { fault: { key: error instanceof Unreachable ? "unreachable" : "failed" }, again: true };
}

const queues = new Map<string, UploadQueue>();

// here and not on the page of the data source: files are still sent once that is left
addEventListener("beforeunload", (event) => {
  if ([...queues.values()].some((queue) => queue.busy)) event.preventDefault();
});

/** The queue of a data source: one, however often its page is shown. */
export function queueOf(source: string, send: Send, taken: Taken): UploadQueue {
  const known = queues.get(source);
  if (known) return known;
  const made = new UploadQueue(send, taken);
  queues.set(source, made);
  return made;
}

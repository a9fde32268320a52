import { expect, test, vi } from "vitest";
import { Problem, Unreachable } from "@/api/problem";
import type { TakenDocument } from "@/api/types";
import { MAX_DOCUMENT_BYTES } from "./schema";
import { UploadQueue } from "./uploads";

const file = (name: string, size = 3) => Object.defineProperty(new File(["x"], name), "size", { value: size });
const taken = { outcome: "added" } as TakenDocument;

interface Sending {
  file: File;
  progress: (sent: number) => void;
  done: (taken: TakenDocument) => void;
  fail: (error: unknown) => void;
}

function queue() {
  const sending: Sending[] = [];
  const received = vi.fn();
  const made = new UploadQueue((sent, progress) => new Promise((done, fail) => void sending.push({ file: sent, progress, done, fail })), received);
  const states = () => made.snapshot().map((upload) => `${upload.file.name} ${upload.state}`);
  return { made, sending, received, states };
}

test("a file that cannot be taken is not sent, and says why", () => {
  const { made, sending } = queue();
  made.add([file("empty.pdf", 0), file("big.pdf", MAX_DOCUMENT_BYTES + 1), file("right.pdf", MAX_DOCUMENT_BYTES)]);
  made.addFolder("folder");
  expect(made.snapshot().map((upload) => upload.fault)).toEqual([{ key: "empty" }, { key: "tooBig" }, null, { key: "folder" }]);
  expect(sending.map((one) => one.file.name)).toEqual(["right.pdf"]);
});

test("files go one after the other, and one that fails does not stop the next", async () => {
  const { made, sending, received, states } = queue();
  made.add([file("a"), file("b"), file("c")]);
  expect(states()).toEqual(["a sending", "b queued", "c queued"]);
  sending[0]?.progress(0.4);
  expect(made.snapshot()[0]?.sent).toBe(0.4);
  sending[0]?.fail(new Unreachable());
  await vi.waitFor(() => expect(sending).toHaveLength(2));
  sending[1]?.done(taken);
  await vi.waitFor(() => expect(sending).toHaveLength(3));
  expect(states()).toEqual(["a failed", "c sending"]);
  expect(received).toHaveBeenCalledExactlyOnceWith(taken);
  expect(made.busy).toBe(true);
  sending[2]?.done(taken);
  await vi.waitFor(() => expect(made.busy).toBe(false));
});

test("what failed is sent again, or put away; what is on its way is not put away", async () => {
  const { made, sending, states } = queue();
  made.add([file("a")]);
  made.dismiss(0);
  expect(states()).toEqual(["a sending"]);
  sending[0]?.fail(new Unreachable());
  await vi.waitFor(() => expect(states()).toEqual(["a failed"]));
  expect(made.snapshot()[0]?.fault).toEqual({ key: "unreachable" });
  made.retry(0);
  expect(states()).toEqual(["a sending"]);
  sending[1]?.fail(new Problem({ type: "", title: "", status: 413, detail: "big" }));
  await vi.waitFor(() => expect(made.snapshot()[0]).toMatchObject({ fault: { key: "tooBig" }, again: false }));
  made.dismiss(0);
  expect(states()).toEqual([]);
});

test("the server's own words are kept", async () => {
  const { made, sending } = queue();
  made.add([file("a")]);
  sending[0]?.fail(new Problem({ type: "", title: "", status: 503, detail: "No room.", hint: "Make some." }));
  await vi.waitFor(() => expect(made.snapshot()[0]).toMatchObject({ fault: { words: "No room.", hint: "Make some." }, again: true }));
});

test("a file that is added while others are sent waits its turn, and whoever watches is told", async () => {
  const { made, sending, states } = queue();
  const watcher = vi.fn();
  const stop = made.subscribe(watcher);
  made.add([file("a")]);
  made.add([file("b")]);
  expect(states()).toEqual(["a sending", "b queued"]);
  sending[0]?.done(taken);
  await vi.waitFor(() => expect(states()).toEqual(["b sending"]));
  const told = watcher.mock.calls.length;
  expect(told).toBeGreaterThan(3);
  stop();
  sending[1]?.done(taken);
  await vi.waitFor(() => expect(states()).toEqual([]));
  expect(watcher).toHaveBeenCalledTimes(told);
});

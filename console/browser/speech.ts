/** What Chromium's microphone hears: somebody who lets the agent greet, then says something once. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const HEADER = 44;

/** A path for `microphone`: `text` as espeak-ng says it in French after a silence, then silence. */
export function caller(text: string, silenceSeconds: number): string {
  const made = spawnSync("espeak-ng", ["-v", "fr", "-s", "150", "--stdout", text], { maxBuffer: 1 << 24 });
  if (made.status !== 0) throw new Error("espeak-ng is not installed (make test does it)");
  const rate = made.stdout.readUInt32LE(24);
  const sound = Buffer.concat([Buffer.alloc(2 * Math.round(rate * silenceSeconds)), made.stdout.subarray(HEADER), Buffer.alloc(2 * rate)]);
  const header = Buffer.from(made.stdout.subarray(0, HEADER));
  header.writeUInt32LE(HEADER - 8 + sound.length, 4);
  header.writeUInt32LE(sound.length, 40);
  const path = join(mkdtempSync(join(tmpdir(), "parlons-caller-")), "caller.wav");
  writeFileSync(path, Buffer.concat([header, sound]));
  return `${path}%noloop`;
}

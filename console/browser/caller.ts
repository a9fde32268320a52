/** Real SIP calls to the server of the browser tests, and what its API says. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ADMIN_KEY, PYTHON, SIP_PORT, type Running } from "./server";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface SipCall {
  /** Of the answer. */
  code: number;
  speechSeconds: number;
  /** How alike what was heard is to each phrase, 0 to 1. */
  heard: Record<string, number>;
}

/** Call a user of the server; listen until it hangs up, for some seconds at most. */
export async function sipCall(user: string, seconds: number, phrases: string[] = []): Promise<SipCall> {
  const script = join(ROOT, "console/browser/sip_call.py");
  const { stdout } = await promisify(execFile)(PYTHON, [script, `127.0.0.1:${SIP_PORT}`, String(seconds), user, ...phrases], { cwd: ROOT, env: { ...process.env, PYTHONPATH: ROOT }, timeout: 90_000 });
  return JSON.parse(stdout) as SipCall;
}

/** One request with the administrator's key, whatever the revision. */
export async function ask<T>(running: Running, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`${running.url}/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${ADMIN_KEY}`, "Content-Type": "application/json", ...(method === "PUT" ? { "If-Match": "*" } : {}) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

const NOBODY = 15997;

/** Let the SIP connection of the example be this machine, with nobody to ring behind it. */
export async function callsFromHere(running: Running): Promise<void> {
  const { document } = await ask<{ document: object }>(running, "GET", "/sip-connections/standard");
  await ask(running, "PUT", "/sip-connections/standard", { ...document, host: "127.0.0.1", port: NOBODY, allowed_addresses: ["127.0.0.1"] });
}

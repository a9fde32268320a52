/** Requests to the API with the session's cookie: CSRF token, revisions, problems. The only place that calls fetch. */
import { problemOf, Unreachable } from "./problem";

let csrfToken = "";
let onSignedOut: () => void = () => {};

export function setCsrfToken(token: string): void {
  csrfToken = token;
}

/** Called whenever the API says that there is no session any more. */
export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler;
}

/** What `upload.ts` needs of these: only XMLHttpRequest tells how much of a file was sent. */
export const shared = { csrfToken: () => csrfToken, signedOut: () => onSignedOut() };

export interface Options {
  body?: unknown;
  /** Sent as it is, for files. */
  file?: Blob;
  /** The revision that a change was made from. */
  revision?: number;
  query?: Record<string, string | number | undefined>;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Sent even if the page is closed meanwhile. */
  keepalive?: boolean;
}

export async function request<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const response = await send(method, path, options);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

export async function send(method: string, path: string, options: Options = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json", ...options.headers };
  if (method !== "GET") headers["X-CSRF-Token"] = csrfToken;
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  if (options.file !== undefined) headers["Content-Type"] = options.file.type;
  if (options.revision !== undefined) headers["If-Match"] = `"${options.revision}"`;
  let response: Response;
  try {
    response = await fetch(`/v1${path}${search(options.query)}`, {
      method,
      headers,
      credentials: "same-origin",
      signal: options.signal,
      keepalive: options.keepalive,
      body: options.file ?? (options.body === undefined ? undefined : JSON.stringify(options.body)),
    });
  } catch {
    throw new Unreachable();
  }
  if (!response.ok) {
    if (response.status === 401 && path !== "/session") onSignedOut();
    throw await problemOf(response);
  }
  return response;
}

function search(query: Options["query"]): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined && value !== "") parameters.set(name, String(value));
  const text = parameters.toString();
  return text ? `?${text}` : "";
}

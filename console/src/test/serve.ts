/** A server for one test: answers by "METHOD path", streams that the test writes to, and a list of what was asked. */
import { vi } from "vitest";

export interface Asked {
  method: string;
  path: string;
  body: Record<string, unknown>;
}

export type Answer = (asked: Asked) => Response | Promise<Response>;

export const json = (status: number, body: object) => new Response(JSON.stringify(body), { status });
export const problem = (status: number, detail: string, more: object = {}) => json(status, { type: "about:blank", title: "", status, detail, ...more });

/** Server-sent events that a test tells while they are read; every reader gets what is told from then on. */
class Events {
  private readonly controllers = new Set<ReadableStreamDefaultController<Uint8Array>>();
  private number = 0;

  answer(): Response {
    return new Response(new ReadableStream<Uint8Array>({ start: (controller) => void this.controllers.add(controller) }), { headers: { "Content-Type": "text/event-stream" } });
  }

  tell(event: string, data: object): void {
    const bytes = new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    for (const controller of this.controllers) controller.enqueue(bytes);
  }

  happens(actor: string, kind: string, payload: object): void {
    this.number += 1;
    this.tell("timeline", { number: this.number, at_ms: this.number * 1000, actor, kind, payload });
  }

  /** The connections break. */
  breaks(): void {
    for (const controller of this.controllers) controller.error(new TypeError("network"));
    this.controllers.clear();
  }
}

/** Until `vi.unstubAllGlobals()`. What has no answer cannot be reached, but a DELETE is done and events are the test's own. */
export function serve(answers: Record<string, Answer>) {
  const asked: Asked[] = [];
  const events = new Events();
  vi.stubGlobal("fetch", (url: string, options: RequestInit): Promise<Response> => {
    const request = { method: options.method ?? "GET", path: url.replace(/^\/v1/, ""), body: typeof options.body === "string" ? (JSON.parse(options.body) as Record<string, unknown>) : {} };
    asked.push(request);
    const answer = answers[`${request.method} ${request.path}`];
    if (answer) return Promise.resolve(answer(request));
    if (request.path.endsWith("/events")) return Promise.resolve(events.answer());
    return request.method === "DELETE" ? Promise.resolve(new Response(null, { status: 204 })) : Promise.reject(new TypeError(`nobody answers ${request.path}`));
  });
  return { asked, events, did: (method: string, path: string) => asked.filter((request) => request.method === method && request.path === path) };
}

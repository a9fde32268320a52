/** Server-sent events (WHATWG HTML, section 9.2) over fetch: unlike EventSource it tells why the server refuses. */
import { send } from "./client";

export interface Frame {
  id: string;
  event: string;
  data: string;
}

/** The server gives a sign of life every 15 s: a connection that is quieter than this is dead. */
export const QUIET_MS = 40_000;

/** Takes text as it arrives, in pieces of any size, and gives the frames that are complete. */
export function frameReader(): (piece: string) => Frame[] {
  let rest = "";
  let frame: Frame = { id: "", event: "message", data: "" };
  let data: string[] = [];
  return (piece) => {
    const complete: Frame[] = [];
    const held = (rest + piece).endsWith("\r") ? "\r" : ""; // its \n may be in the next piece
    const lines = (rest + piece).slice(0, held ? -1 : undefined).split(/\r\n|\n|\r/);
    rest = `${lines.pop() ?? ""}${held}`;
    for (const line of lines) {
      if (line === "") {
        if (data.length) complete.push({ ...frame, data: data.join("\n") });
        frame = { id: frame.id, event: "message", data: "" };
        data = [];
        continue;
      }
      const [, name, value = ""] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
      if (name === "id") frame.id = value;
      else if (name === "event") frame.event = value;
      else if (name === "data") data.push(value);
    }
    return complete;
  };
}

interface Listening {
  /** Go on after this one. */
  after?: string;
  signal: AbortSignal;
  onOpen: () => void;
  onFrame: (frame: Frame) => void;
}

/** Reads one stream to its end. Throws what `send` throws, and whatever breaks the connection. */
export async function listen(path: string, { after, signal, onOpen, onFrame }: Listening): Promise<void> {
  const quiet = new AbortController();
  const watch = () => setTimeout(() => quiet.abort(), QUIET_MS);
  let timer = watch();
  try {
    const headers: Record<string, string> = { Accept: "text/event-stream", ...(after && { "Last-Event-ID": after }) };
    const response = await send("GET", path, { headers, signal: AbortSignal.any([signal, quiet.signal]) });
    onOpen();
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const read = frameReader();
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
      clearTimeout(timer);
      timer = watch();
      read(next.value).forEach(onFrame);
    }
  } finally {
    clearTimeout(timer);
  }
}

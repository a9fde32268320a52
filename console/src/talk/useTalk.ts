import { useCallback, useEffect, useRef, useState } from "react";
import { endTalk, startBrowserCall, startChat, type TalkKind } from "@/api/talk";
import type { TalkWanted } from "@/api/types";
import { closeLine, offerLine, type Line } from "./line";
import { openMicrophone } from "./microphone";

export type Talk =
  | { at: "setup"; error: unknown }
  | { at: "microphone" | "starting"; kind: TalkKind }
  /** Under way or over: what happens in it says which. */
  | { at: "going"; kind: TalkKind; id: string; line: Line | null };

const SETUP: Talk = { at: "setup", error: null };

/** One conversation at a time with an agent. Whatever was opened for it is closed with it, and with the page. */
export function useTalk() {
  const [talk, setTalk] = useState<Talk>(SETUP);
  const open = useRef<{ kind: TalkKind; id: string | null; line: Line | null } | null>(null);

  /** What the browser holds of it: the microphone, the connection. */
  const close = useCallback(() => {
    const { line } = open.current ?? {};
    open.current = null;
    if (line) closeLine(line);
  }, []);

  const release = useCallback(() => {
    const { kind, id } = open.current ?? {};
    close();
    if (kind && id) void endTalk(kind, id).catch(() => undefined); // over already, or found out by the server itself
  }, [close]);

  useEffect(() => {
    addEventListener("pagehide", release);
    return () => {
      removeEventListener("pagehide", release);
      release();
    };
  }, [release]);

  const start = useCallback(
    async (kind: TalkKind, wanted: TalkWanted) => {
      release();
      const mine: NonNullable<typeof open.current> = { kind, id: null, line: null };
      open.current = mine;
      const left = () => open.current !== mine;
      try {
        if (kind === "browser-calls") {
          setTalk({ at: "microphone", kind });
          const microphone = await openMicrophone();
          if (left()) return stop(microphone);
          setTalk({ at: "starting", kind });
          const line = await offerLine(microphone).catch((error: unknown) => {
            stop(microphone);
            throw error;
          });
          if (left()) return closeLine(line);
          mine.line = line;
          const { id, sdp } = await startBrowserCall(wanted, line.offer);
          if (left()) return void endTalk(kind, id).catch(() => undefined);
          mine.id = id;
          await line.peer.setRemoteDescription({ type: "answer", sdp });
        } else {
          setTalk({ at: "starting", kind });
          const { id } = await startChat(wanted);
          if (left()) return void endTalk(kind, id).catch(() => undefined);
          mine.id = id;
        }
        if (!left() && mine.id !== null) setTalk({ at: "going", kind, id: mine.id, line: mine.line });
      } catch (error) {
        if (left()) return;
        release();
        setTalk({ at: "setup", error });
      }
    },
    [release],
  );

  return {
    talk,
    start,
    /** Hangs up; what happened stays in sight. */
    stop: release,
    /** The other side has ended it. */
    over: close,
    /** Back to the choices. */
    again: useCallback(() => {
      release();
      setTalk(SETUP);
    }, [release]),
  };
}

function stop(microphone: MediaStream): void {
  for (const track of microphone.getTracks()) track.stop();
}

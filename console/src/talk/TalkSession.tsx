import { useEffect, useState } from "react";
import { Unplug } from "lucide-react";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { eventsPath } from "@/api/talk";
import { Timeline } from "@/calls/Timeline";
import { useCallEvents } from "@/calls/useCallEvents";
import { Lamp } from "@/ui/Lamp";
import { Notice } from "@/ui/Layouts";
import { CallControls } from "./CallControls";
import { ChatControls } from "./ChatControls";
import { Drawer } from "./Drawer";
import { Elapsed } from "./Elapsed";
import { TalkOver } from "./TalkOver";
import { useLineState } from "./useLine";
import { useStayAtEnd } from "./useStayAtEnd";
import type { Talk } from "./useTalk";

interface TalkSessionProps {
  title: string;
  talk: Extract<Talk, { at: "going" }>;
  /** The person hangs up. */
  onStop: () => void;
  /** The other side did. */
  onOver: () => void;
  onAgain: () => void;
  onClose: () => void;
  opener: Element | null;
}

/** One conversation from its first event to its last, as it happens. */
export function TalkSession({ title, talk, onStop, onOver, onAgain, onClose, opener }: TalkSessionProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { kind, id, line } = talk;
  const feed = useCallEvents(eventsPath(kind, id));
  const lineState = useLineState(line);
  const [stopped, setStopped] = useState(false);
  const { box, onScroll } = useStayAtEnd(feed.events.length);
  const voice = kind === "browser-calls";
  const lost = lineState === "lost" && !stopped;
  const over = feed.state === "over" || feed.state === "refused" || stopped || lost;
  const answered = !voice || feed.events.some((event) => event.kind === "answered");

  useEffect(() => {
    if (feed.state === "over" || feed.state === "refused") onOver();
    if (lost) onStop();
    if (over && voice) void client.invalidateQueries({ queryKey: ["calls"] });
  }, [client, feed.state, lost, over, voice, onOver, onStop]);

  function stop() {
    setStopped(true);
    onStop();
  }

  const state = over ? "over" : answered ? "on" : "rings";
  return (
    <Drawer
      title={title}
      easy={over}
      closeLabel={over ? t("ui.close") : t("talk.endAndClose")}
      onClose={onClose}
      opener={opener}
      status={
        <span role="status" className="flex items-center gap-3">
          <Lamp state={over ? "off" : answered ? "lit" : "changed"} live={!over} label={t(`talk.state.${state}`)} />
          {answered && !over && <Elapsed />}
        </span>
      }
      foot={
        over ? (
          <TalkOver kind={kind} id={id} feed={feed} lost={lost} onAgain={onAgain} />
        ) : voice && line ? (
          <CallControls id={id} line={line} onHangUp={stop} />
        ) : (
          <ChatControls id={id} onEnd={stop} />
        )
      }
    >
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard has to reach it */}
      <div ref={box} onScroll={onScroll} tabIndex={0} role="region" aria-label={t("talk.log")} className="min-h-0 flex-1 overflow-y-auto px-5 py-4">
        <Timeline events={feed.events} at={null} onSeek={undefined} live />
        {!over && (feed.state === "lost" || lineState === "shaky") && (
          <div className="mt-4">
            <Notice tone="warn" icon={Unplug} title={t(feed.state === "lost" ? "talk.serverLost" : "talk.shaky")}>
              {t(feed.state === "lost" ? "talk.serverLostHint" : "talk.shakyHint")}
            </Notice>
          </div>
        )}
      </div>
    </Drawer>
  );
}

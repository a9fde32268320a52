import { useQuery } from "@tanstack/react-query";
import { useCallback, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useAgentEditor } from "@/agents/editor";
import { triedAudio } from "@/api/failover";
import type { FailoverTried } from "@/api/types";
import { Timeline } from "@/calls/Timeline";
import { heardFrom, shownEvents } from "./tries";

/** One try: what the caller hears, and what happened meanwhile. */
export function TriedCall({ tried, autoPlay }: { tried: FailoverTried; autoPlay: boolean }) {
  const { t } = useTranslation();
  const { id } = useAgentEditor();
  const audio = useRef<HTMLAudioElement>(null);
  const [at, setAt] = useState<number | null>(null);
  const kept = tried.audio_id;
  const sound = useQuery({ queryKey: ["failover-audio", id, kept], queryFn: () => triedAudio(id, kept ?? ""), enabled: kept !== null, staleTime: Infinity, retry: false });
  const begins = heardFrom(tried);

  function seek(ms: number) {
    if (!audio.current) return;
    audio.current.currentTime = Math.max(0, ms - begins) / 1000;
    void audio.current.play().catch(() => undefined);
  }

  if (tried.agent_answers) return <p className="text-sm text-ink-soft">{t("failover.try.agentAnswersHint")}</p>;
  return (
    <div className="grid gap-4">
      {sound.data && <Heard sound={sound.data} audioRef={audio} autoPlay={autoPlay} onTime={(seconds) => setAt(begins + seconds * 1000)} />}
      {sound.isLoading && <p className="text-sm text-ink-soft">{t("ui.loading")}</p>}
      {(kept === null || sound.error) && <p className="text-sm text-ink-soft">{t(sound.error ? "failover.try.expired" : "failover.try.noAudio")}</p>}
      <Timeline events={shownEvents(tried)} at={at} onSeek={sound.data ? seek : undefined} />
    </div>
  );
}

interface HeardProps {
  sound: Blob;
  audioRef: React.RefObject<HTMLAudioElement | null>;
  autoPlay: boolean;
  onTime: (seconds: number) => void;
}

function Heard({ sound, audioRef, autoPlay, onTime }: HeardProps) {
  const { t } = useTranslation();
  const attach = useCallback(
    (player: HTMLAudioElement) => {
      const url = URL.createObjectURL(sound);
      audioRef.current = player;
      player.src = url;
      return () => {
        audioRef.current = null;
        URL.revokeObjectURL(url);
      };
    },
    [sound, audioRef],
  );
  return (
    // eslint-disable-next-line jsx-a11y/media-has-caption -- the transcript below it is the caption
    <audio ref={attach} controls autoPlay={autoPlay} className="w-full" aria-label={t("failover.try.audio")} onTimeUpdate={(event) => onTime(event.currentTarget.currentTime)} />
  );
}

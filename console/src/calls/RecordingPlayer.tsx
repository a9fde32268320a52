import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { recordingUrl } from "@/api/calls";
import { Section } from "@/ui/Layouts";

/** The call as it sounded. The timeline follows it, and moves it. */
export function RecordingPlayer({ id, seek, onTime }: { id: string; seek: number | null; onTime: (ms: number) => void }) {
  const { t } = useTranslation();
  const audio = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    if (seek === null || !audio.current) return;
    audio.current.currentTime = seek / 1000;
    void audio.current.play().catch(() => undefined);
  }, [seek]);
  return (
    <Section title={t("calls.recording")}>
      {/* eslint-disable-next-line jsx-a11y/media-has-caption -- the transcript below it is the caption */}
      <audio ref={audio} controls preload="metadata" src={recordingUrl(id)} className="w-full" aria-label={t("calls.recording")} onTimeUpdate={(event) => onTime(event.currentTarget.currentTime * 1000)} />
    </Section>
  );
}

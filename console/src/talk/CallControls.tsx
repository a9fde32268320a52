import { useEffect, useRef, useState } from "react";
import { Bot, Grip, Mic, MicOff, PhoneOff, Volume2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/ui/Button";
import { Keypad } from "./Keypad";
import { LevelMeter } from "./LevelMeter";
import type { Line } from "./line";

/** While a call is on: how loud both sides are, the microphone, the keys, hanging up. */
export function CallControls({ id, line, onHangUp }: { id: string; line: Line; onHangUp: () => void }) {
  const { t } = useTranslation();
  const [muted, setMuted] = useState(false);
  const [keys, setKeys] = useState(false);
  const [silenced, setSilenced] = useState(false);
  const sound = useRef<HTMLAudioElement>(null);

  useEffect(() => {
    const audio = sound.current;
    if (!audio) return;
    audio.srcObject = line.heard;
    audio.play().catch((error: unknown) => setSilenced(error instanceof DOMException && error.name === "NotAllowedError"));
    return () => void (audio.srcObject = null);
  }, [line]);

  function mute(wanted: boolean) {
    for (const track of line.microphone.getAudioTracks()) track.enabled = !wanted;
    setMuted(wanted);
  }

  return (
    <div className="grid gap-3">
      {/* eslint-disable-next-line jsx-a11y/media-has-caption -- the words are written above as they are said */}
      <audio ref={sound} />
      <div className="grid grid-cols-2 gap-4">
        <LevelMeter stream={line.microphone} label={t("talk.yourLevel")} icon={muted ? MicOff : Mic} />
        <LevelMeter stream={line.heard} label={t("talk.agentLevel")} icon={Bot} />
      </div>
      {silenced && (
        <Button icon={Volume2} onClick={() => void sound.current?.play().then(() => setSilenced(false))}>
          {t("talk.hear")}
        </Button>
      )}
      {keys && <Keypad kind="browser-calls" id={id} />}
      <div className="grid grid-cols-2 gap-2">
        <Button icon={muted ? MicOff : Mic} aria-pressed={muted} onClick={() => mute(!muted)}>
          {t("talk.mute")}
        </Button>
        <Button icon={Grip} aria-expanded={keys} onClick={() => setKeys(!keys)}>
          {t("talk.keypad")}
        </Button>
        <Button look="danger" icon={PhoneOff} className="col-span-2" onClick={onHangUp}>
          {t("talk.hangUp")}
        </Button>
      </div>
    </div>
  );
}

import { Square, Volume2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useAgentEditor } from "@/agents/editor";
import { savedSpeech, speech, type SavedSpeech } from "@/api/failover";
import { Problem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { useShowError, useToasts } from "@/ui/useToasts";

interface PlayMessageProps {
  which: SavedSpeech;
  /** What is in the form and not saved; null plays what is. */
  unsaved: { text: string; language: string } | null;
  label: string;
}

/** A message as callers hear it, in the agent's voice. */
export function PlayMessage({ which, unsaved, label }: PlayMessageProps) {
  const { t } = useTranslation();
  const { id, failover } = useAgentEditor();
  const { show } = useToasts();
  const showError = useShowError();
  const [state, setState] = useState<"quiet" | "fetching" | "playing">("quiet");
  const audio = useRef<HTMLAudioElement | null>(null);
  const here = useRef(true);
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
      stop(audio.current);
    };
  }, []);

  async function play() {
    setState("fetching");
    try {
      const heard = await (unsaved ? speech(id, unsaved) : savedSpeech(id, which));
      if (!here.current) return;
      const player = new Audio(URL.createObjectURL(heard));
      stop(audio.current);
      audio.current = player;
      player.onended = player.onpause = () => {
        URL.revokeObjectURL(player.src);
        setState("quiet");
      };
      await player.play();
      setState("playing");
    } catch (error) {
      setState("quiet");
      if (error instanceof Problem && error.body.errors) {
        failover.form.reveal();
        show({ kind: "failed", text: t("failover.try.invalid") });
      } else showError(error);
    }
  }

  const playing = state === "playing";
  return (
    <div className="flex flex-wrap items-center gap-3">
      <Button
        small
        icon={playing ? Square : Volume2}
        busy={state === "fetching"}
        disabled={unsaved?.text.trim() === ""}
        onMouseDown={(event) => event.preventDefault()} // leaving a field shows its error, which would push the button away from under the click
        onClick={() => (playing ? stop(audio.current) : void play())}
      >
        {playing ? t("failover.stopListening") : label}
      </Button>
      {unsaved && <span className="text-sm text-ink-soft">{t("failover.listenUnsaved")}</span>}
    </div>
  );
}

function stop(player: HTMLAudioElement | null) {
  player?.pause();
}

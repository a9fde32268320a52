import { ArrowRight, CircleAlert, RotateCcw } from "lucide-react";
import { Link } from "react-router";
import { useTranslation } from "react-i18next";
import type { TalkKind } from "@/api/talk";
import type { Feed } from "@/calls/feed";
import { Button } from "@/ui/Button";
import { Notice } from "@/ui/Layouts";

/** Codes of an end that say no more than who hung up. */
const WITHOUT_NEWS = new Set(["hung_up", "agent_hung_up"]);

interface TalkOverProps {
  kind: TalkKind;
  id: string;
  feed: Feed;
  /** The sound's way to the server broke. */
  lost: boolean;
  onAgain: () => void;
}

/** Who ended it and why, and what to do next. */
export function TalkOver({ kind, id, feed, lost, onAgain }: TalkOverProps) {
  const { t } = useTranslation();
  const voice = kind === "browser-calls";
  const last = feed.events.findLast((event) => event.kind === "hang_up");
  const sentence = last && t([`talk.endedBy.${String(last.payload["who"])}`, "talk.ended"]);
  const why = last && WITHOUT_NEWS.has(String(last.payload["code"])) ? undefined : last?.payload["code"];
  return (
    <div className="grid gap-3">
      {lost ? (
        <Notice tone="alarm" icon={CircleAlert} title={t("talk.soundLost")}>
          {t("talk.soundLostHint")}
        </Notice>
      ) : feed.state === "refused" ? (
        <Notice tone="alarm" icon={CircleAlert} title={t("talk.gone")}>
          {t("talk.goneHint")}
        </Notice>
      ) : (
        <Notice tone="calm" title={sentence ?? t("talk.ended")}>
          {typeof why === "string" && t([`talk.why.${why}`, `endCodes.${why}`, ""])}
        </Notice>
      )}
      <div className="flex flex-wrap items-center justify-between gap-3">
        <Button icon={RotateCcw} onClick={onAgain}>
          {t("talk.again")}
        </Button>
        {voice && (
          <Link to={`/calls/${id}`} className="inline-flex min-h-10 items-center gap-1.5 font-semibold text-brand-strong hover:underline">
            {t("talk.seeCall")}
            <ArrowRight aria-hidden className="size-4" />
          </Link>
        )}
      </div>
    </div>
  );
}

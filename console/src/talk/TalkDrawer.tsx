import { useState } from "react";
import { useTranslation } from "react-i18next";
import { missing } from "./microphone";
import { Drawer } from "./Drawer";
import { TalkSession } from "./TalkSession";
import { TalkSetup, type UnsavedDraft, type Wishes } from "./TalkSetup";
import { useTalk } from "./useTalk";

interface TalkDrawerProps {
  agent: { id: string; name: string; liveVersion: number | null };
  /** Which of the two is offered first. */
  draft: boolean;
  country: string;
  unsaved?: UnsavedDraft;
  onClose: () => void;
}

/** Talks to one agent from this page. Closing it hangs up. */
export function TalkDrawer({ agent, draft, country, unsaved, onClose }: TalkDrawerProps) {
  const { t } = useTranslation();
  const { talk, start, stop, over, again } = useTalk();
  const [wishes, setWishes] = useState<Wishes>(() => ({ kind: missing() ? "chats" : "browser-calls", draft: draft || agent.liveVersion === null, caller: "" }));
  const [opener] = useState(() => document.activeElement);
  const title = t("talk.title", { name: agent.name });
  if (talk.at === "going") return <TalkSession key={talk.id} title={title} talk={talk} onStop={stop} onOver={over} onAgain={again} onClose={onClose} opener={opener} />;
  const busy = talk.at !== "setup";
  return (
    <Drawer title={title} easy={!busy} closeLabel={t(busy ? "talk.endAndClose" : "ui.close")} onClose={onClose} opener={opener} status={busy && <span role="status" className="text-sm text-ink-soft">{t(`talk.state.${talk.at}`)}</span>}>
      <TalkSetup
        wishes={wishes}
        onChange={setWishes}
        liveVersion={agent.liveVersion}
        unsaved={unsaved}
        country={country}
        error={talk.at === "setup" ? talk.error : null}
        busy={busy}
        onStart={() => void start(wishes.kind, { agent_id: agent.id, draft: wishes.draft, caller: wishes.caller })}
      />
    </Drawer>
  );
}

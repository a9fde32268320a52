import { useState } from "react";
import { Grip, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/ui/Button";
import { Keypad } from "./Keypad";
import { WriteBox } from "./WriteBox";

/** While a chat is on: a box to write in, the keys, the end. */
export function ChatControls({ id, onEnd }: { id: string; onEnd: () => void }) {
  const { t } = useTranslation();
  const [keys, setKeys] = useState(false);
  return (
    <div className="grid gap-3">
      {keys && <Keypad kind="chats" id={id} />}
      <WriteBox id={id} />
      <div className="flex flex-wrap justify-between gap-2">
        <Button small look="quiet" icon={Grip} aria-expanded={keys} onClick={() => setKeys(!keys)}>
          {t("talk.keypad")}
        </Button>
        <Button small look="quiet" icon={X} onClick={onEnd}>
          {t("talk.endChat")}
        </Button>
      </div>
    </div>
  );
}

import { useState } from "react";
import { SendHorizontal } from "lucide-react";
import { useTranslation } from "react-i18next";
import { sayInChat } from "@/api/talk";
import { Button } from "@/ui/Button";
import { TextInput } from "@/ui/Inputs";
import { useShowError } from "@/ui/useToasts";

const LONGEST = 2000;

/** What the person writes; Enter sends it. What could not be sent stays in the box. */
export function WriteBox({ id }: { id: string }) {
  const { t } = useTranslation();
  const showError = useShowError();
  const [text, setText] = useState("");
  const [sending, setSending] = useState(false);

  async function send() {
    const said = text.trim();
    if (!said || sending) return;
    setSending(true);
    try {
      await sayInChat(id, said);
      setText((now) => (now.trim() === said ? "" : now));
    } catch (error) {
      showError(error);
    } finally {
      setSending(false);
    }
  }

  return (
    <form
      className="grid grid-cols-[1fr_auto] items-start gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <TextInput label={t("talk.yourWords")} hideLabel value={text} onChange={setText} maxLength={LONGEST} placeholder={t("talk.yourWords")} error={text.trim().length > LONGEST ? t("errors.tooLong", { max: LONGEST }) : undefined} />
      <Button look="primary" type="submit" icon={SendHorizontal} busy={sending} disabled={!text.trim() || text.trim().length > LONGEST}>
        {t("talk.send")}
      </Button>
    </form>
  );
}

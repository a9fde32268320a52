import { MessageSquareText, MicOff, Phone, Save } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Problem } from "@/api/problem";
import type { TalkKind } from "@/api/talk";
import { PhoneInput } from "@/phone/PhoneInput";
import { Button } from "@/ui/Button";
import { Notice } from "@/ui/Layouts";
import { RadioCards } from "@/ui/RadioCards";
import { NoMicrophone } from "./microphone";
import { TalkTrouble } from "./TalkTrouble";
import { useMicrophone } from "./useMicrophone";

export interface Wishes {
  kind: TalkKind;
  draft: boolean;
  caller: string;
}

export interface UnsavedDraft {
  dirty: boolean;
  save: () => Promise<boolean>;
  saving: boolean;
}

interface TalkSetupProps {
  wishes: Wishes;
  onChange: (wishes: Wishes) => void;
  liveVersion: number | null;
  unsaved: UnsavedDraft | undefined;
  /** ISO 3166 code offered first. */
  country: string;
  error: unknown;
  /** It is being started. */
  busy: boolean;
  onStart: () => void;
}

/** By voice or in text, with which version, as whom. */
export function TalkSetup({ wishes, onChange, liveVersion, unsaved, country, error, busy, onStart }: TalkSetupProps) {
  const { t } = useTranslation();
  const microphone = useMicrophone();
  const voice = wishes.kind === "browser-calls";
  const trouble = microphone === "granted" || microphone === "asks" ? null : microphone;
  const refused = error instanceof Problem ? error.body.errors?.find(({ path }) => path === "caller")?.message : undefined;
  const unspoken = voice && (trouble ?? (error instanceof NoMicrophone ? error.why : null));

  return (
    <form
      className="grid min-h-0 content-start gap-5 overflow-y-auto px-5 py-4"
      onSubmit={(event) => {
        event.preventDefault();
        onStart();
      }}
    >
      <RadioCards
        legend={t("talk.how")}
        columns="two"
        value={wishes.kind}
        onChange={(kind) => onChange({ ...wishes, kind: kind as TalkKind })}
        disabled={busy}
        cards={[
          { value: "browser-calls", label: t("talk.byVoice"), icon: Phone },
          { value: "chats", label: t("talk.inText"), icon: MessageSquareText },
        ]}
      />
      {unspoken && (
        <Notice tone="warn" icon={MicOff} title={t(`talk.microphone.${unspoken}`)} actions={<Button small onClick={() => onChange({ ...wishes, kind: "chats" })}>{t("talk.writeInstead")}</Button>}>
          {t(`talk.microphoneHint.${unspoken}`)}
        </Notice>
      )}
      <RadioCards
        legend={t("talk.which")}
        columns="two"
        value={wishes.draft ? "draft" : "live"}
        onChange={(which) => onChange({ ...wishes, draft: which === "draft" })}
        disabled={busy}
        cards={[{ value: "draft", label: t("talk.draft") }, ...(liveVersion === null ? [] : [{ value: "live", label: t("talk.live", { version: liveVersion }) }])]}
      />
      {wishes.draft && unsaved?.dirty && (
        <Notice
          tone="warn"
          title={t("talk.unsaved")}
          actions={
            <Button small icon={Save} busy={unsaved.saving} onClick={() => void unsaved.save()}>
              {t("talk.saveFirst")}
            </Button>
          }
        >
          {t("talk.unsavedHint")}
        </Notice>
      )}
      <PhoneInput label={t("talk.caller")} hint={wishes.caller ? t("talk.callerSeen", { phone: wishes.caller }) : t("talk.callerHint")} error={refused} value={wishes.caller} onChange={(caller) => onChange({ ...wishes, caller })} country={country} disabled={busy} />
      {error !== null && !(error instanceof NoMicrophone) && !refused && <TalkTrouble error={error} />}
      <div className="grid gap-2">
        <Button look="primary" type="submit" icon={voice ? Phone : MessageSquareText} busy={busy} disabled={voice && (trouble === "insecure" || trouble === "unsupported")}>
          {voice ? t("talk.call") : t("talk.write")}
        </Button>
        <p className="text-sm text-ink-soft">{voice ? t(microphone === "asks" ? "talk.willAsk" : "talk.asTelephone") : t("talk.asText")}</p>
      </div>
    </form>
  );
}

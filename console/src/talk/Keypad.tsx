import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { pressDigits, type TalkKind } from "@/api/talk";
import { useShowError } from "@/ui/useToasts";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"] as const;

/** The keys of a telephone. They are sent one after the other, in the order that they were pressed. */
export function Keypad({ kind, id }: { kind: TalkKind; id: string }) {
  const { t } = useTranslation();
  const showError = useShowError();
  const [pressed, setPressed] = useState("");
  const sending = useRef<Promise<unknown>>(Promise.resolve());

  function press(key: string) {
    setPressed((before) => (before + key).slice(-24));
    sending.current = sending.current.then(() => pressDigits(kind, id, key)).catch(showError);
  }

  return (
    <div role="group" aria-label={t("talk.keypad")} className="mx-auto grid w-full max-w-64 gap-2">
      <output aria-label={t("talk.pressed")} className="numbers h-6 truncate text-center font-semibold tracking-widest">
        {pressed}
      </output>
      <div className="grid grid-cols-3 gap-1.5">
        {KEYS.map((key) => (
          <button key={key} type="button" onClick={() => press(key)} className="numbers min-h-11 rounded-control border border-line-strong bg-raised text-lg font-semibold transition-colors hover:border-brand hover:bg-brand-wash active:bg-brand active:text-white">
            {key}
          </button>
        ))}
      </div>
    </div>
  );
}

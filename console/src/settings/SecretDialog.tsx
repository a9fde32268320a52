import { Check, Copy, TriangleAlert } from "lucide-react";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { ApiKeySecret } from "@/api/types";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field } from "@/ui/Field";
import { Notice } from "@/ui/Layouts";

/** The one time a key's secret is shown. Closing before it was copied is asked twice. */
export function SecretDialog({ made, onClose }: { made: ApiKeySecret; onClose: () => void }) {
  const { t } = useTranslation();
  const box = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  const [warned, setWarned] = useState(false);

  async function copy() {
    box.current?.select();
    setCopied(await written(made.secret));
  }
  const close = () => (copied || warned ? onClose() : setWarned(true));

  return (
    <Dialog
      title={t("settings.secretTitle", { name: made.key.name })}
      description={t(made.key.rotating ? "settings.secretSecond" : "settings.secretOnce")}
      onClose={close}
      foot={
        <Button look={copied ? "primary" : "plain"} onClick={close}>
          {t(warned && !copied ? "settings.closeAnyway" : "ui.close")}
        </Button>
      }
    >
      <div className="grid gap-4">
        <Field label={t("settings.secret")} hint={t("settings.secretUse")}>
          {(parts) => (
            <div className="flex gap-2">
              <input {...parts} ref={box} readOnly value={made.secret} onFocus={(event) => event.target.select()} onCopy={() => setCopied(true)} className="control min-w-0 font-mono text-sm" />
              <Button look="primary" icon={copied ? Check : Copy} onClick={() => void copy()}>
                {t(copied ? "settings.copied" : "settings.copy")}
              </Button>
            </div>
          )}
        </Field>
        <p role="status" className="sr-only">
          {copied ? t("settings.copied") : ""}
        </p>
        {warned && !copied && (
          <div role="alert">
            <Notice tone="warn" icon={TriangleAlert} title={t("settings.notCopied")}>
              {t("settings.notCopiedHint")}
            </Notice>
          </div>
        )}
      </div>
    </Dialog>
  );
}

/** Whether the text is on the clipboard; on a page without HTTPS only the old way does it, with what is selected. */
async function written(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return document.execCommand("copy");
  }
}

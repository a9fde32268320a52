import { useMutation, useQuery } from "@tanstack/react-query";
import { CircleAlert, Rocket } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { differences } from "@/agent/differences";
import { checkAgent, getVersion, publishAgent } from "@/api/agents";
import { Problem } from "@/api/problem";
import { serverWords } from "@/i18n/serverWords";
import { spaced } from "@/phone/numbers";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Notice, Skeleton } from "@/ui/Layouts";
import { useShowError, useToasts } from "@/ui/useToasts";
import { DifferenceList } from "./DifferenceList";
import { useAgentEditor } from "./editor";

/** What publishing will change, what stands in its way, and the button that does it. */
export function PublishDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const { show } = useToasts();
  const showError = useShowError();
  const editor = useAgentEditor();
  const [saved, setSaved] = useState(!editor.dirty);

  const check = useQuery({ queryKey: ["agents", editor.id, "check", editor.draft], queryFn: () => checkAgent(editor.id, editor.draft), gcTime: 0 });
  const live = useQuery({
    queryKey: ["agents", editor.id, "versions", editor.liveVersion],
    queryFn: () => getVersion(editor.id, editor.liveVersion ?? 0),
    enabled: editor.liveVersion !== null,
  });

  const publishing = useMutation({
    mutationFn: () => publishAgent(editor.id, editor.revision),
    onSuccess: async ({ live_version }) => {
      await editor.reload();
      show({ kind: "done", text: t("publish.done", { version: live_version }), detail: t("publish.doneDetail") });
      onClose();
    },
    onError: async (error) => {
      showError(error);
      if (error instanceof Problem && error.notLive) await editor.reload();
    },
  });

  async function save() {
    if (await editor.save()) setSaved(true);
    else onClose();
  }

  const found = live.data ? differences(live.data, editor.draft) : [];
  const numbers = editor.draft.phone_numbers.map(spaced).join(", ");
  return (
    <Dialog
      wide
      title={t("publish.title")}
      description={t("publish.hint")}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{t("ui.cancel")}</Button>
          {saved && !editor.dirty ? (
            <Button look="primary" icon={Rocket} busy={publishing.isPending} disabled={!check.data?.publishable} onClick={() => publishing.mutate()}>
              {t("publish.do")}
            </Button>
          ) : (
            <Button look="primary" busy={editor.saving} disabled={!check.data?.publishable} onClick={() => void save()}>
              {t("publish.saveFirst")}
            </Button>
          )}
        </>
      }
    >
      <div className="grid gap-4">
        {check.isPending && <Skeleton rows={2} />}
        {check.data && !check.data.publishable && (
          <Notice tone="alarm" icon={CircleAlert} title={t("publish.refused")}>
            <ul className="list-disc pl-5">
              {check.data.errors.map((error) => (
                <li key={error.path + error.message}>
                  <code className="text-xs">{error.path}</code> {serverWords(t, error.message)}
                </li>
              ))}
            </ul>
          </Notice>
        )}
        {editor.liveVersion === null ? (
          <p>{numbers && editor.draft.active ? t("publish.first", { numbers }) : t(editor.draft.active ? "publish.firstNoNumber" : "publish.inactive")}</p>
        ) : live.isPending ? (
          <Skeleton rows={2} />
        ) : found.length === 0 ? (
          <p>{t("publish.same")}</p>
        ) : (
          <>
            <p className="font-semibold">{t("publish.changes", { count: found.length })}</p>
            <DifferenceList items={found} before={t("publish.before")} after={t("publish.after")} />
          </>
        )}
      </div>
    </Dialog>
  );
}

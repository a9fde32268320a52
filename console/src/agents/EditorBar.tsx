import { Phone, Redo2, Rocket, Save, Undo2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useMay } from "@/api/session";
import { Button, IconButton } from "@/ui/Button";
import { Lamp } from "@/ui/Lamp";
import { StickyBar } from "@/ui/StickyBar";
import { useSaveKey } from "@/ui/useSaveKey";
import { useAgentEditor } from "./editor";

/** The agent's name, how it stands, and what can be done with the whole of it. Stays in sight. */
export function EditorBar({ onPublish, onTalk }: { onPublish: () => void; onTalk: () => void }) {
  const { t } = useTranslation();
  const mayCall = useMay("calls");
  const { draft, dirty, readOnly, canUndo, canRedo, undo, redo, save, saving, liveVersion } = useAgentEditor();

  useSaveKey(() => void save(), dirty && !readOnly && !saving);

  return (
    <StickyBar
      back={{ to: "/agents", label: t("nav.agents") }}
      title={draft.name || t("editor.unnamed")}
      lamps={
        <>
          <Lamp state={liveVersion === null ? "waiting" : draft.active ? "lit" : "off"} label={liveVersion === null ? t("agents.state.draft") : t("editor.liveVersion", { version: liveVersion })} />
          {dirty && <Lamp state="changed" label={t("editor.unsaved")} />}
        </>
      }
    >
      {!readOnly && (
        <div className="flex flex-wrap items-center gap-2">
          <IconButton icon={Undo2} label={t("editor.undo")} disabled={!canUndo} onClick={undo} />
          <IconButton icon={Redo2} label={t("editor.redo")} disabled={!canRedo} onClick={redo} />
          {mayCall && (
            <Button icon={Phone} onClick={onTalk}>
              {t("talk.open")}
            </Button>
          )}
          <Button icon={Save} disabled={!dirty} busy={saving} onClick={() => void save()}>
            {t("ui.save")}
          </Button>
          <Button look="primary" icon={Rocket} onClick={onPublish}>
            {t("editor.publish")}
          </Button>
        </div>
      )}
    </StickyBar>
  );
}

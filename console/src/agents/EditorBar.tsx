import { ArrowLeft, Redo2, Rocket, Save, Undo2 } from "lucide-react";
import { Link } from "react-router";
import { useTranslation } from "react-i18next";
import { Button, IconButton } from "@/ui/Button";
import { Lamp } from "@/ui/Lamp";
import { useAgentEditor } from "./editor";
import { useEffect } from "react";

/** The agent's name, how it stands, and what can be done with the whole of it. Stays in sight. */
export function EditorBar({ onPublish }: { onPublish: () => void }) {
  const { t } = useTranslation();
  const { draft, dirty, readOnly, canUndo, canRedo, undo, redo, save, saving, liveVersion } = useAgentEditor();

  useEffect(() => {
    function onKey(event: KeyboardEvent) {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s") return;
      event.preventDefault();
      if (dirty && !readOnly) void save();
    }
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });

  return (
    <header className="sticky top-[3.75rem] z-20 -mx-4 mb-2 bg-ground/95 px-4 pt-1 pb-3 backdrop-blur-sm sm:-mx-8 sm:px-8 lg:top-0 lg:pt-3">
      <Link to="/agents" className="inline-flex items-center gap-1.5 text-sm font-semibold text-brand-strong hover:underline">
        <ArrowLeft aria-hidden className="size-4" />
        {t("nav.agents")}
      </Link>
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
        <div className="min-w-0">
          <h1 className="truncate text-2xl font-bold">{draft.name || t("editor.unnamed")}</h1>
          <div className="flex flex-wrap gap-x-4 text-ink-soft">
            <Lamp state={liveVersion === null ? "waiting" : draft.active ? "lit" : "off"} label={liveVersion === null ? t("agents.state.draft") : t("editor.liveVersion", { version: liveVersion })} />
            {dirty && <Lamp state="changed" label={t("editor.unsaved")} />}
          </div>
        </div>
        {!readOnly && (
          <div className="flex flex-wrap items-center gap-2">
            <IconButton icon={Undo2} label={t("editor.undo")} disabled={!canUndo} onClick={undo} />
            <IconButton icon={Redo2} label={t("editor.redo")} disabled={!canRedo} onClick={redo} />
            <Button icon={Save} disabled={!dirty} busy={saving} onClick={() => void save()}>
              {t("ui.save")}
            </Button>
            <Button look="primary" icon={Rocket} onClick={onPublish}>
              {t("editor.publish")}
            </Button>
          </div>
        )}
      </div>
    </header>
  );
}

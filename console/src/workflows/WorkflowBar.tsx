import { Save } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/ui/Button";
import { Lamp } from "@/ui/Lamp";
import { StickyBar } from "@/ui/StickyBar";
import { useSaveKey } from "@/ui/useSaveKey";
import { useWorkflowEditor } from "./editor";
import { statusLamp } from "./kinds";

/** The workflow's name, how it stands, and saving it. Stays in sight. */
export function WorkflowBar() {
  const { t } = useTranslation();
  const { draft, stored, dirty, readOnly, save, saving } = useWorkflowEditor();

  useSaveKey(() => void save(), dirty && !readOnly && !saving);

  return (
    <StickyBar
      back={{ to: "/workflows", label: t("nav.workflows") }}
      title={draft.name || t("workflows.unnamed")}
      lamps={
        <>
          <Lamp state={statusLamp(stored.status)} label={t(`workflows.status.${stored.status}`)} />
          <span className="text-sm">{t(`workflows.trigger.${stored.trigger}`)}</span>
          {dirty && <Lamp state="changed" label={t("editor.unsaved")} />}
        </>
      }
    >
      {!readOnly && (
        <Button look="primary" icon={Save} disabled={!dirty} busy={saving} onClick={() => void save()}>
          {t("ui.save")}
        </Button>
      )}
    </StickyBar>
  );
}

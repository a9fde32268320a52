import { Split, Trash2 } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useAgentEditor } from "@/agents/editor";
import { Button } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import { EmptyState } from "@/ui/Layouts";
import { startPath } from "./edits";
import { PathCanvas } from "./PathCanvas";
import { StepOutline } from "./StepOutline";
import { StepPanel } from "./StepPanel";
import { problemsByStep } from "./stepProblems";

/** The conversation as a graph, as a list, and one step at a time. */
export function PathTab() {
  const { t } = useTranslation();
  const { draft, edit, readOnly, form } = useAgentEditor();
  const [chosen, setChosen] = useState<string | null>(null);
  const [removing, setRemoving] = useState(false);
  const path = draft.path;
  const problems = useMemo(() => problemsByStep(form.problems), [form.problems]);

  if (!path)
    return (
      <EmptyState icon={Split} title={t("path.none")} hint={t("path.noneHint")}>
        <Button look="primary" disabled={readOnly} onClick={() => edit((agent) => startPath(agent, t("path.firstStep")))}>
          {t("path.create")}
        </Button>
      </EmptyState>
    );

  const selected = path.steps.some((step) => step.id === chosen) ? chosen : path.start;
  const index = path.steps.findIndex((step) => step.id === selected);
  return (
    <div className="grid gap-4">
      <p className="max-w-3xl text-ink-soft">{t("path.hint")}</p>
      <div className="grid gap-4 lg:grid-cols-[13.5rem_minmax(0,1fr)] xl:h-[46rem] xl:grid-cols-[13.5rem_minmax(0,1fr)_24rem]">
        <StepOutline path={path} selected={selected} problems={problems} onSelect={setChosen} />
        <PathCanvas path={path} selected={selected} problems={problems} onSelect={setChosen} />
        <div className="min-w-0 lg:col-span-2 xl:col-span-1 xl:overflow-y-auto">{index >= 0 && <StepPanel key={selected} index={index} onSelect={setChosen} />}</div>
      </div>
      {!readOnly && (
        <div>
          <Button small look="quiet" icon={Trash2} onClick={() => setRemoving(true)}>
            {t("path.remove")}
          </Button>
        </div>
      )}
      {removing && (
        <ConfirmDialog
          title={t("path.removeTitle")}
          description={t("path.removeHint")}
          action={t("path.remove")}
          onConfirm={() => {
            edit((agent) => ({ ...agent, path: null }));
            setRemoving(false);
          }}
          onClose={() => setRemoving(false)}
        />
      )}
    </div>
  );
}

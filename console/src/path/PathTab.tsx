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
import { focusStep } from "./focusStep";
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
        <Button
          look="primary"
          disabled={readOnly}
          onClick={() => {
            edit((agent) => startPath(agent, t("path.firstStep")));
            requestAnimationFrame(focusStep);
          }}
        >
          {t("path.create")}
        </Button>
      </EmptyState>
    );

  const selected = path.steps.some((step) => step.id === chosen) ? chosen : path.start;
  const index = path.steps.findIndex((step) => step.id === selected);
  return (
    <div className="@container grid grid-cols-[minmax(0,1fr)] gap-4">
      <p className="max-w-3xl text-ink-soft">{t("path.hint")}</p>
      <div className="grid grid-cols-[minmax(0,1fr)] gap-4 @min-[45rem]:grid-cols-[13.5rem_minmax(0,1fr)] @min-[60rem]:h-[46rem] @min-[60rem]:grid-cols-[13.5rem_minmax(0,1fr)_24rem]">
        <StepOutline path={path} selected={selected} problems={problems} onSelect={setChosen} />
        <PathCanvas path={path} selected={selected} problems={problems} onSelect={setChosen} />
        <div className="min-w-0 @min-[45rem]:col-span-2 @min-[60rem]:col-span-1 @min-[60rem]:overflow-y-auto">{index >= 0 && <StepPanel key={index} index={index} onSelect={setChosen} />}</div>
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

import { ArrowDown, ArrowUp, ChevronDown, CircleAlert, Trash2 } from "lucide-react";
import { useContext, useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { FormScope, SelectField } from "@/form/Fields";
import { FormContext, useField } from "@/form/FormContext";
import { formatPath, type Segment } from "@/form/paths";
import { IconButton } from "@/ui/Button";
import { CommitInput } from "@/ui/CommitInput";
import { ConfirmDialog } from "@/ui/Dialog";
import { classes } from "@/ui/classes";
import type { StepDraft } from "./draft";
import { idFault, renameStep, summaryOf } from "./edits";
import { useWorkflowEditor } from "./editor";
import { STEP_ICONS, STEP_TINTS } from "./kinds";
import { StepFields } from "./StepFields";

interface StepCardProps {
  at: readonly Segment[];
  step: StepDraft;
  index: number;
  count: number;
  onMove: (to: number) => void;
  onRemove: () => void;
}

/** One step: what it does in a line, and all of it when it is unfolded. */
export function StepCard({ at, step, index, count, onMove, onRemove }: StepCardProps) {
  const { t } = useTranslation();
  const body = useId();
  const { base } = useContext(FormContext);
  const { readOnly, form, open, setOpen } = useWorkflowEditor();
  const [removing, setRemoving] = useState(false);
  const place = formatPath([...base, ...at]);
  const wrong = form.shown.filter(({ path }) => path.startsWith(`${place}.`)).length;
  const unfolded = open.has(step.id);
  const Icon = STEP_ICONS[step.type];
  return (
    <li className="rounded-card border border-line bg-raised">
      <div className="flex flex-wrap items-center gap-x-1 gap-y-1 p-2 sm:flex-nowrap sm:p-3">
        <button type="button" aria-expanded={unfolded} aria-controls={unfolded ? body : undefined} onClick={() => setOpen(step.id, !unfolded)} className="flex min-w-0 flex-1 basis-full items-center gap-3 rounded-control p-1 text-left hover:bg-sunken/60 sm:basis-auto">
          <span className={classes("grid size-9 shrink-0 place-items-center rounded-md", STEP_TINTS[step.type])}>
            <Icon aria-hidden className="size-4" />
          </span>
          <span className="grid min-w-0 flex-1">
            <span className="flex flex-wrap items-baseline gap-x-2">
              <span className="text-sm font-semibold">{t(`workflows.step.${step.type}`)}</span>
              <code className="text-xs break-all text-ink-soft">{step.id}</code>
            </span>
            <span className="truncate text-sm text-ink-soft">{summaryOf(step)}</span>
          </span>
          {wrong > 0 && <CircleAlert role="img" aria-label={t("editor.problems", { count: wrong })} className="size-5 shrink-0 text-alarm" />}
          <ChevronDown aria-hidden className={classes("size-4 shrink-0 text-ink-soft transition-transform", unfolded && "rotate-180")} />
        </button>
        {!readOnly && (
          <span className="ml-auto flex">
            <IconButton icon={ArrowUp} data-move="up" label={t("workflows.moveUp", { id: step.id })} disabled={index === 0} onClick={() => onMove(index - 1)} />
            <IconButton icon={ArrowDown} data-move="down" label={t("workflows.moveDown", { id: step.id })} disabled={index === count - 1} onClick={() => onMove(index + 1)} />
            <IconButton icon={Trash2} label={t("workflows.removeStep", { id: step.id })} onClick={() => setRemoving(true)} />
          </span>
        )}
      </div>
      {unfolded && (
        <div id={body} className="grid gap-5 border-t border-line p-3 sm:p-5">
          <FormScope at={at}>
            <StepFields step={step} />
            <div className="grid gap-5 border-t border-line pt-5 md:grid-cols-2">
              <StepId step={step} />
              {step.type !== "return" && (
                <SelectField at="on_error" label={t("fields.on_error")} hint={t(`workflows.onErrorHint.${step.on_error}`)} choices={["stop", "continue"].map((value) => ({ value, label: t(`workflows.onError.${value}`) }))} />
              )}
            </div>
          </FormScope>
        </div>
      )}
      {removing && (
        <ConfirmDialog
          title={t("workflows.removeStepTitle", { id: step.id })}
          description={t("workflows.removeStepHint")}
          action={t("ui.delete")}
          onConfirm={() => {
            setRemoving(false);
            onRemove();
          }}
          onClose={() => setRemoving(false)}
        />
      )}
    </li>
  );
}

/** Its name in other steps; they follow when it changes. */
function StepId({ step }: { step: StepDraft }) {
  const { t } = useTranslation();
  const { draft, edit, setOpen } = useWorkflowEditor();
  const id = useField<string>("id");
  const [fault, setFault] = useState<string | null>(null);
  return (
    <CommitInput
      label={t("fields.stepId")}
      hint={t("workflows.stepIdHint", { id: step.id })}
      value={step.id}
      error={fault ? t(fault) : id.error}
      disabled={id.readOnly}
      mono
      onCommit={(value) => {
        const refused = idFault(draft, step.id, value);
        setFault(refused);
        if (refused) return false;
        id.touch();
        edit((draft) => renameStep(draft, id.path, step.id, value));
        setOpen(step.id, false);
        setOpen(value, true);
        return true;
      }}
    />
  );
}

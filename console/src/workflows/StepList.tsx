import { Plus } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useField } from "@/form/FormContext";
import { PartError } from "@/form/Fields";
import { Button } from "@/ui/Button";
import { classes } from "@/ui/classes";
import { MAX_STEPS, STEP_TYPES, type StepType } from "./document";
import type { StepDraft } from "./draft";
import { blankStep, freeStepId, moved } from "./edits";
import { useWorkflowEditor } from "./editor";
import { STEP_ICONS, STEP_TINTS } from "./kinds";
import { StepCard } from "./StepCard";

/** Steps in the order they run: opened, moved, removed and added where they are. */
export function StepList({ at, label }: { at: string; label: string }) {
  const { t } = useTranslation();
  const { draft, setOpen } = useWorkflowEditor();
  const steps = useField<StepDraft[]>(at);
  const list = useRef<HTMLOListElement>(null);
  const [said, setSaid] = useState("");

  function move(from: number, to: number) {
    const step = steps.value[from];
    steps.set(moved(steps.value, from, to));
    setSaid(t("workflows.movedTo", { id: step?.id, place: to + 1, count: steps.value.length }));
    // the keyboard stays with the step that moved
    requestAnimationFrame(() => {
      const card = list.current?.children[to];
      const wanted = card?.querySelector<HTMLButtonElement>(`[data-move="${to < from ? "up" : "down"}"]:not(:disabled)`) ?? card?.querySelector<HTMLButtonElement>("[data-move]:not(:disabled)");
      wanted?.focus();
    });
  }

  function add(type: StepType) {
    const id = freeStepId(draft, type);
    steps.set([...steps.value, blankStep(type, id)]);
    setOpen(id, true);
  }

  return (
    <div className="grid gap-3">
      {steps.value.length === 0 ? (
        <p className="text-sm text-ink-soft">{t("workflows.noStep")}</p>
      ) : (
        <ol ref={list} aria-label={label} className="grid gap-3">
          {steps.value.map((step, index) => (
            <StepCard key={index} at={[at, index]} step={step} index={index} count={steps.value.length} onMove={(to) => move(index, to)} onRemove={() => steps.set(steps.value.toSpliced(index, 1))} />
          ))}
        </ol>
      )}
      <p role="status" className="sr-only">
        {said}
      </p>
      <PartError at={at} />
      {!steps.readOnly && <AddStep disabled={steps.value.length >= MAX_STEPS} onAdd={add} />}
    </div>
  );
}

function AddStep({ disabled, onAdd }: { disabled: boolean; onAdd: (type: StepType) => void }) {
  const { t } = useTranslation();
  return (
    <DropdownMenu.Root>
      <div>
        <DropdownMenu.Trigger asChild>
          <Button small icon={Plus} disabled={disabled}>
            {t("workflows.addStep")}
          </Button>
        </DropdownMenu.Trigger>
      </div>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align="start" sideOffset={4} className="z-50 w-80 max-w-[calc(100vw-2rem)] rounded-card border border-line bg-raised p-1.5 shadow-float">
          {STEP_TYPES.map((type) => {
            const Icon = STEP_ICONS[type];
            return (
              <DropdownMenu.Item key={type} onSelect={() => onAdd(type)} className="flex cursor-pointer items-start gap-3 rounded-control px-2.5 py-2 outline-none data-highlighted:bg-brand-wash">
                <span className={classes("grid size-8 shrink-0 place-items-center rounded-md", STEP_TINTS[type])}>
                  <Icon aria-hidden className="size-4" />
                </span>
                <span>
                  <span className="block font-semibold">{t(`workflows.step.${type}`)}</span>
                  <span className="block text-sm text-ink-soft">{t(`workflows.stepHint.${type}`)}</span>
                </span>
              </DropdownMenu.Item>
            );
          })}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

import { CircleAlert, Plus } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { STEP_KINDS, type StepKind } from "@/agent/limits";
import type { Path } from "@/agent/schema";
import { useAgentEditor } from "@/agents/editor";
import type { FieldProblem } from "@/form/problems";
import { Button } from "@/ui/Button";
import { classes } from "@/ui/classes";
import { addStep } from "./edits";
import { focusStep } from "./focusStep";
import { STEP_LOOKS } from "./kinds";

interface StepOutlineProps {
  path: Path;
  selected: string | null;
  problems: ReadonlyMap<number, FieldProblem[]>;
  onSelect: (id: string) => void;
}

/** The steps as a list: everything that the canvas does, without a mouse. */
export function StepOutline({ path, selected, problems, onSelect }: StepOutlineProps) {
  const { t } = useTranslation();
  const { readOnly } = useAgentEditor();
  return (
    <nav aria-label={t("path.outline")} className="card flex max-h-80 min-h-0 flex-col @min-[45rem]:max-h-[34rem] @min-[60rem]:max-h-none">
      <h2 className="px-4 pt-4 pb-2 text-sm font-bold">{t("path.steps", { count: path.steps.length })}</h2>
      <ol className="grid grid-cols-[minmax(0,1fr)] content-start gap-0.5 overflow-y-auto px-2 pb-2">
        {path.steps.map((step, index) => {
          const { icon: Icon, tint } = STEP_LOOKS[step.type];
          const wrong = problems.get(index)?.length ?? 0;
          return (
            <li key={index}>
              <button
                type="button"
                aria-current={step.id === selected ? "step" : undefined}
                onClick={() => onSelect(step.id)}
                className={classes("flex w-full items-center gap-2.5 rounded-control px-2 py-1.5 text-left", step.id === selected ? "bg-brand-wash" : "hover:bg-sunken")}
              >
                <span className={classes("grid size-7 shrink-0 place-items-center rounded-md", tint)}>
                  <Icon aria-hidden className="size-4" />
                </span>
                <span className="min-w-0 flex-1">
                  <span className="block truncate text-sm font-semibold">{step.name ?? step.id}</span>
                  <span className="block truncate text-xs text-ink-soft">{step.id === path.start ? t("path.startMark", { kind: t(`path.kind.${step.type}`) }) : t(`path.kind.${step.type}`)}</span>
                </span>
                {wrong > 0 && <CircleAlert role="img" aria-label={t("editor.problems", { count: wrong })} className="size-4 shrink-0 text-alarm" />}
              </button>
            </li>
          );
        })}
      </ol>
      {!readOnly && (
        <div className="mt-auto border-t border-line p-2">
          <AddStepMenu after={selected} onAdded={onSelect} />
        </div>
      )}
    </nav>
  );
}

function AddStepMenu({ after, onAdded }: { after: string | null; onAdded: (id: string) => void }) {
  const { t } = useTranslation();
  const { draft, edit } = useAgentEditor();
  const added = useRef(false);
  const from = draft.path?.steps.find((step) => step.id === after);

  function add(kind: StepKind) {
    const made = addStep(draft, kind, t(`path.kind.${kind}`), from?.type === "end" ? null : after);
    edit(() => made.agent);
    onAdded(made.id);
    added.current = true;
  }

  /** The focus goes to the step that was added; back to the button when the menu was given up. */
  function closed(event: Event) {
    if (!added.current) return;
    added.current = false;
    event.preventDefault();
    focusStep();
  }

  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger asChild>
        <Button small icon={Plus} className="w-full">
          {t("path.addStep")}
        </Button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align="start" sideOffset={4} onCloseAutoFocus={closed} className="z-50 w-80 rounded-card border border-line bg-raised p-1.5 shadow-float">
          {from && <DropdownMenu.Label className="px-2.5 py-1.5 text-xs text-ink-soft">{t("path.addAfter", { name: from.name ?? from.id })}</DropdownMenu.Label>}
          {STEP_KINDS.map((kind) => {
            const { icon: Icon, tint } = STEP_LOOKS[kind];
            return (
              <DropdownMenu.Item key={kind} onSelect={() => add(kind)} className="flex cursor-pointer items-start gap-3 rounded-control px-2.5 py-2 outline-none data-highlighted:bg-brand-wash">
                <span className={classes("grid size-8 shrink-0 place-items-center rounded-md", tint)}>
                  <Icon aria-hidden className="size-4" />
                </span>
                <span>
                  <span className="block font-semibold">{t(`path.kind.${kind}`)}</span>
                  <span className="block text-sm text-ink-soft">{t(`path.kindHint.${kind}`)}</span>
                </span>
              </DropdownMenu.Item>
            );
          })}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

import { Flag, Play, Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { MAX_NAME } from "@/agent/limits";
import { renameStep } from "@/agent/references";
import type { Step } from "@/agent/schema";
import { useAgentEditor } from "@/agents/editor";
import { FormScope, PartError, TextField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { CommitInput } from "@/ui/CommitInput";
import { Button } from "@/ui/Button";
import { FieldError } from "@/ui/Field";
import { serverWords } from "@/i18n/serverWords";
import { BranchFields } from "./BranchFields";
import { removeStep, setStart } from "./edits";
import { EndFields, SayFields, TransferStepFields, WorkflowStepFields } from "./OtherStepFields";
import { PromptFields } from "./PromptFields";

/** One step: its name, what its kind needs, where it leads. */
export function StepPanel({ index, onSelect }: { index: number; onSelect: (id: string) => void }) {
  const { t } = useTranslation();
  const { draft, edit, readOnly } = useAgentEditor();
  const step = draft.path?.steps[index];
  if (!step || !draft.path) return null;
  const start = draft.path.start === step.id;
  return (
    <FormScope at={["path", "steps", index]}>
      <section aria-label={t("path.panel", { name: step.name ?? step.id })} data-step={step.id} className="card grid gap-5 p-5">
        <header className="flex flex-wrap items-center justify-between gap-2">
          <h2 className="text-lg font-bold">{t(`path.kind.${step.type}`)}</h2>
          {start && (
            <span className="inline-flex items-center gap-1.5 rounded-full bg-brand-wash px-2.5 py-0.5 text-sm font-semibold text-brand-strong">
              <Play aria-hidden className="size-3.5 fill-current" />
              {t("path.isStart")}
            </span>
          )}
        </header>
        <StepWarning />
        <TextField at="name" label={t("fields.stepName")} nullable maxLength={MAX_NAME} />
        <IdField index={index} id={step.id} onRenamed={onSelect} />
        <KindFields step={step} />
        <PartError at={[]} />
        {!readOnly && (
          <footer className="flex flex-wrap gap-2 border-t border-line pt-4">
            {!start && (
              <Button small icon={Flag} onClick={() => edit((agent) => setStart(agent, step.id))}>
                {t("path.makeStart")}
              </Button>
            )}
            <Button small icon={Trash2} disabled={draft.path.steps.length === 1} onClick={() => edit((agent) => removeStep(agent, step.id))}>
              {t("path.removeStep")}
            </Button>
          </footer>
        )}
      </section>
    </FormScope>
  );
}

/** What is wrong with the step as a part of the graph is told at once, not after a save. */
function StepWarning() {
  const { t } = useTranslation();
  const { form } = useAgentEditor();
  const { path, error } = useField<string>("id");
  const place = `path.steps[${path[2]}].id`;
  const problem = form.problems.find((item) => item.path === place);
  if (!problem || error) return null;
  return <FieldError text={problem.words ? serverWords(t, problem.key) : t(problem.key, problem.values)} />;
}

function IdField({ index, id, onRenamed }: { index: number; id: string; onRenamed: (id: string) => void }) {
  const { t } = useTranslation();
  const { draft, edit } = useAgentEditor();
  const field = useField<string>("id");
  return (
    <CommitInput
      label={t("fields.stepId")}
      hint={t("path.idHint")}
      value={id}
      mono
      maxLength={64}
      error={field.error}
      disabled={field.readOnly}
      onCommit={(next) => {
        if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(next) || draft.path?.steps.some((step, place) => place !== index && step.id === next)) return;
        edit((agent) => renameStep(agent, id, next));
        onRenamed(next);
      }}
    />
  );
}

function KindFields({ step }: { step: Step }) {
  switch (step.type) {
    case "prompt":
      return <PromptFields step={step} />;
    case "say":
      return <SayFields />;
    case "branch":
      return <BranchFields step={step} />;
    case "workflow":
      return <WorkflowStepFields step={step} />;
    case "transfer":
      return <TransferStepFields step={step} />;
    case "end":
      return <EndFields />;
  }
}

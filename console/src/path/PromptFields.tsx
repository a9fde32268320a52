import { Plus } from "lucide-react";
import { useTranslation } from "react-i18next";
import { blankTransition } from "@/agent/blank";
import { END_OF_SPEECH_MS } from "@/agent/limits";
import type { PromptStep } from "@/agent/schema";
import { ACTION_ICONS } from "@/actions/kinds";
import { useAgentEditor } from "@/agents/editor";
import { NumberField, PartError, SwitchField } from "@/form/Fields";
import { useField } from "@/form/FormContext";
import { TemplateField } from "@/form/VariablePicker";
import { Button } from "@/ui/Button";
import { SwitchInput } from "@/ui/Inputs";
import { freeTransition } from "./edits";
import { TransitionFields } from "./TransitionFields";

export function PromptFields({ step }: { step: PromptStep }) {
  const { t } = useTranslation();
  return (
    <>
      <TemplateField at="prompt" label={t("fields.stepPrompt")} hint={t("path.promptHint")} rows={6} />
      <ActionSwitches step={step} />
      <Transitions step={step} />
      <details>
        <summary className="font-semibold">{t("path.listening")}</summary>
        <div className="mt-4 grid gap-4">
          <NumberField at="end_of_speech_ms" label={t("fields.end_of_speech_ms")} range={END_OF_SPEECH_MS} unit="ms" hint={t("path.endOfSpeechHint")} />
          <SwitchField at="interruptible" label={t("fields.interruptible")} hint={t("path.interruptibleHint")} />
          <SwitchField at="sensitive" label={t("fields.sensitive")} hint={t("path.sensitiveHint")} />
        </div>
      </details>
    </>
  );
}

/** Which of the agent's actions this step may use. */
function ActionSwitches({ step }: { step: PromptStep }) {
  const { t } = useTranslation();
  const { draft } = useAgentEditor();
  const field = useField<string[]>("actions");
  return (
    <fieldset className="grid gap-3">
      <legend className="mb-2 text-sm font-semibold">{t("path.actions")}</legend>
      {draft.actions.length === 0 && <p className="text-sm text-ink-soft">{t("path.noActions")}</p>}
      {draft.actions.map((action) => {
        const Icon = ACTION_ICONS[action.type];
        const on = step.actions.includes(action.name);
        return (
          <div key={action.name} className="flex items-center justify-between gap-3">
            <SwitchInput label={action.name} checked={on} disabled={field.readOnly} onChange={(wanted) => field.set(wanted ? [...step.actions, action.name] : step.actions.filter((name) => name !== action.name))} />
            <Icon role="img" aria-label={t(`actions.kind.${action.type}`)} className="size-4 shrink-0 text-ink-soft" />
          </div>
        );
      })}
      <PartError at="actions" />
    </fieldset>
  );
}

function Transitions({ step }: { step: PromptStep }) {
  const { t } = useTranslation();
  const { draft } = useAgentEditor();
  const field = useField<PromptStep["transitions"]>("transitions");
  const names = step.transitions.map((item) => item.name);

  function add() {
    field.set([...step.transitions, blankTransition(freeTransition(names, "transition"), draft.path?.steps.find((other) => other.id !== step.id)?.id ?? step.id)]);
  }

  return (
    <fieldset className="grid gap-3">
      <legend className="mb-2 text-sm font-semibold">{t("fields.transitions")}</legend>
      {step.transitions.length === 0 && <p className="text-sm text-ink-soft">{t("path.noTransitions")}</p>}
      {step.transitions.map((transition, index) => (
        <TransitionFields key={index} index={index} transition={transition} onRemove={() => field.set(step.transitions.toSpliced(index, 1))} />
      ))}
      {!field.readOnly && (
        <div>
          <Button small icon={Plus} onClick={add}>
            {t("path.addTransition")}
          </Button>
        </div>
      )}
    </fieldset>
  );
}

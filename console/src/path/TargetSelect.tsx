import { useTranslation } from "react-i18next";
import { useAgentEditor } from "@/agents/editor";
import { SelectField } from "@/form/Fields";
import type { Segment } from "@/form/paths";

/** The step that a way out leads to. */
export function TargetSelect({ at, label, hint }: { at: Segment | readonly Segment[]; label: string; hint?: string }) {
  const { t } = useTranslation();
  const { draft } = useAgentEditor();
  const choices = (draft.path?.steps ?? []).map((step) => ({ value: step.id, label: step.name ?? step.id }));
  return <SelectField at={at} label={label} hint={hint} choices={choices} empty={t("ui.choose")} required />;
}

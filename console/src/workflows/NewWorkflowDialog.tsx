import { useMutation, useQueryClient } from "@tanstack/react-query";
import { FileText } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useTranslation } from "react-i18next";
import { Problem } from "@/api/problem";
import { createWorkflow } from "@/api/workflows";
import { FormDialog } from "@/ui/FormDialog";
import { TextInput } from "@/ui/Inputs";
import { RadioCards } from "@/ui/RadioCards";
import { useShowError } from "@/ui/useToasts";
import { TRIGGER_ICONS } from "./kinds";
import { fromStarter, STARTERS, type Starter } from "./starters";

const ICONS = { preCall: TRIGGER_ICONS.pre_call, liveCall: TRIGGER_ICONS.live_call, failover: TRIGGER_ICONS.failover, postCall: TRIGGER_ICONS.post_call, blank: FileText };

/** A name and something to start from. */
export function NewWorkflowDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const showError = useShowError();
  const [name, setName] = useState("");
  const [missing, setMissing] = useState(false);
  const [starter, setStarter] = useState<Starter>("preCall");

  const making = useMutation({
    mutationFn: () => createWorkflow(fromStarter(starter, name.trim(), t)),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: ["workflows"] });
      void navigate(`/workflows/${made.id}/edit`);
    },
    onError: (error) => {
      showError(error);
      if (!(error instanceof Problem && error.notLive)) return;
      void client.invalidateQueries({ queryKey: ["workflows"] }); // it is there
      onClose();
    },
  });

  function submit() {
    setMissing(!name.trim());
    if (name.trim()) making.mutate();
  }

  return (
    <FormDialog
      wide
      title={t("workflows.newTitle")}
      description={t("workflows.newHint")}
      action={t("workflows.create")}
      busy={making.isPending}
      onSubmit={submit}
      onClose={onClose}
    >
      <TextInput label={t("fields.name")} hint={t("workflows.nameHint")} value={name} onChange={setName} required maxLength={200} error={missing && !name.trim() ? t("errors.required") : undefined} />
      <RadioCards
        legend={t("workflows.starterLegend")}
        columns="two"
        value={starter}
        onChange={(value) => setStarter(value as Starter)}
        cards={STARTERS.map((value) => ({ value, icon: ICONS[value], label: t(`workflowStarter.${value}`), hint: t(`workflowStarter.${value}Hint`) }))}
      />
    </FormDialog>
  );
}

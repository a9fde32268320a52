import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { combine, differences } from "@/agent/differences";
import type { Agent } from "@/agent/schema";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { DifferenceList } from "./DifferenceList";

interface StaleDialogProps {
  base: Agent;
  mine: Agent;
  theirs: Agent;
  onKeep: (document: Agent) => void;
  onClose: () => void;
}

/** Somebody saved the same draft meanwhile: what differs, and three ways on, none of which loses anything unseen. */
export function StaleDialog({ base, mine, theirs, onKeep, onClose }: StaleDialogProps) {
  const { t } = useTranslation();
  const found = useMemo(() => differences(theirs, mine), [theirs, mine]);
  return (
    <Dialog
      wide
      title={t("stale.title")}
      description={t("stale.hint")}
      onClose={onClose}
      foot={
        <>
          <Button look="quiet" onClick={onClose}>
            {t("stale.later")}
          </Button>
          <Button onClick={() => onKeep(theirs)}>{t("stale.theirs")}</Button>
          <Button onClick={() => onKeep(mine)}>{t("stale.mine")}</Button>
          <Button look="primary" onClick={() => onKeep(combine(base, mine, theirs))}>
            {t("stale.combine")}
          </Button>
        </>
      }
    >
      <DifferenceList items={found} before={t("stale.theirVersion")} after={t("stale.myVersion")} />
    </Dialog>
  );
}

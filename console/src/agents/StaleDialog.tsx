import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { combine, differences } from "@/agent/differences";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { DifferenceList } from "./DifferenceList";

interface StaleDialogProps<T> {
  base: T;
  mine: T;
  theirs: T;
  onKeep: (document: T) => void;
  onClose: () => void;
}

/** Somebody saved the same document meanwhile: what differs, and three ways on, none of which loses anything unseen. */
export function StaleDialog<T>({ base, mine, theirs, onKeep, onClose }: StaleDialogProps<T>) {
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

import { Radio, Save, TriangleAlert } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { differences } from "@/agent/differences";
import { DifferenceList } from "@/agents/DifferenceList";
import { useAgentEditor } from "@/agents/editor";
import { Button } from "@/ui/Button";
import { Notice } from "@/ui/Layouts";

/** How the tab stands: as calls have it, or changed and in no call before it is saved. */
export function FailoverBar() {
  const { t } = useTranslation();
  const { failover, liveVersion, readOnly } = useAgentEditor();
  const [looking, setLooking] = useState(false);
  const found = useMemo(() => differences(failover.live, failover.draft), [failover.live, failover.draft]);
  if (!failover.dirty)
    return (
      <Notice tone="calm" icon={Radio} title={t(liveVersion === null ? "failover.notLive" : "failover.asLive")}>
        {t("failover.saveRule")}
      </Notice>
    );
  return (
    <Notice
      tone="warn"
      icon={TriangleAlert}
      title={t("failover.changed")}
      actions={
        !readOnly && (
          <>
            <Button small aria-expanded={looking} onClick={() => setLooking(!looking)}>
              {t("failover.whatChanged", { count: found.length })}
            </Button>
            <Button small onClick={failover.discard}>
              {t("failover.discard")}
            </Button>
            <Button small look="primary" icon={Save} busy={failover.saving} onClick={() => void failover.save()}>
              {t("failover.save")}
            </Button>
          </>
        )
      }
    >
      {t("failover.changedHint")}
      {looking && (
        <div className="mt-3">
          <DifferenceList items={found} before={t("failover.before")} after={t("failover.after")} />
        </div>
      )}
    </Notice>
  );
}

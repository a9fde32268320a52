import { useTranslation } from "react-i18next";
import type { DataSourceState } from "@/api/types";
import { Lamp, type LampState } from "@/ui/Lamp";

const LAMPS: Record<DataSourceState["state"], LampState> = { empty: "off", indexing: "waiting", ready: "lit", error: "alarm" };

/** How a data source stands, and what there is to do about it. */
export function SourceLamp({ state }: { state: DataSourceState }) {
  const { t } = useTranslation();
  return (
    <span className="grid">
      <Lamp state={LAMPS[state.state]} live={state.pending > 0} label={t(`knowledge.is.${state.state}`)} />
      {state.pending > 0 && state.state !== "indexing" && <span className="text-sm text-ink-soft">{t("knowledge.pending", { count: state.pending })}</span>}
      {state.refused > 0 && <span className="text-sm text-alarm">{t("knowledge.refused", { count: state.refused })}</span>}
    </span>
  );
}

import { useTranslation } from "react-i18next";
import type { Action } from "@/agent/schema";
import { spaced } from "@/phone/numbers";

/** The few values of an action that tell it from another. */
export function ActionSummary({ action }: { action: Action }) {
  const { t } = useTranslation();
  const parts: string[] = [];
  if (action.type === "transfer") {
    const [first] = action.destinations;
    if (action.target_agent_id !== null) parts.push(t("actions.toAgent"));
    else if (action.destinations.length === 1 && first) parts.push(`${first.description} ${spaced(first.phone ?? first.extension ?? "")}`.trim());
    else if (action.destinations.length > 1) parts.push(t("actions.destinations", { count: action.destinations.length }));
    else if (action.sip_connection_id !== null) parts.push(t("actions.bySip"));
    parts.push(t("actions.rings", { seconds: action.max_ring_seconds }));
    if (action.schedule.enabled) parts.push(t("actions.scheduled"));
  }
  if (action.type === "hang_up") parts.push(t("actions.attempts", { count: action.min_attempts }));
  if (action.type === "wait") parts.push(t("actions.waits", { seconds: action.max_wait_seconds }));
  if (parts.length === 0) return null;
  return <p className="numbers text-sm">{parts.join(" · ")}</p>;
}

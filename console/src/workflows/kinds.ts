import { Clock, CornerDownLeft, Globe, ListOrdered, PhoneCall, PhoneIncoming, PhoneOff, ShieldAlert, Split, Variable, Webhook, type LucideIcon } from "lucide-react";
import type { RunStatus } from "@/api/types";
import type { LampState } from "@/ui/Lamp";
import type { StepType, Trigger, WorkflowStatus } from "./document";

export const TRIGGER_ICONS: Record<Trigger, LucideIcon> = { pre_call: PhoneIncoming, live_call: PhoneCall, failover: ShieldAlert, post_call: PhoneOff };
export const KIND_ICONS = { steps: ListOrdered, webhook: Webhook } as const;
export const STEP_ICONS: Record<StepType | "webhook", LucideIcon> = { http: Globe, set: Variable, branch: Split, delay: Clock, return: CornerDownLeft, webhook: Webhook };
export const STEP_TINTS: Record<StepType | "webhook", string> = {
  http: "bg-sky-wash text-sky",
  set: "bg-brand-wash text-brand-strong",
  branch: "bg-plum-wash text-plum",
  delay: "bg-amber-wash text-amber-ink",
  return: "bg-live-wash text-live",
  webhook: "bg-sky-wash text-sky",
};

const STATUS_LAMPS: Record<WorkflowStatus, LampState> = { draft: "waiting", published: "lit", disabled: "off" };
export const statusLamp = (status: WorkflowStatus): LampState => STATUS_LAMPS[status];

const RUN_LAMPS: Record<RunStatus, LampState> = { ok: "lit", error: "alarm", timeout: "alarm", cancelled: "off" };
export const runLamp = (status: RunStatus): LampState => RUN_LAMPS[status];

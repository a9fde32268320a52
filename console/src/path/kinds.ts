import { Flag, GitFork, MessageCircleMore, PhoneForwarded, Quote, Workflow, type LucideIcon } from "lucide-react";
import type { StepKind } from "@/agent/limits";

export const STEP_LOOKS: Record<StepKind, { icon: LucideIcon; tint: string }> = {
  prompt: { icon: MessageCircleMore, tint: "bg-brand-wash text-brand-strong" },
  say: { icon: Quote, tint: "bg-sky-wash text-sky" },
  branch: { icon: GitFork, tint: "bg-plum-wash text-plum" },
  workflow: { icon: Workflow, tint: "bg-amber-wash text-amber-ink" },
  transfer: { icon: PhoneForwarded, tint: "bg-live-wash text-live" },
  end: { icon: Flag, tint: "bg-alarm-wash text-alarm" },
};

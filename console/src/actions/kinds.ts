import { BookOpenText, Grip, Hourglass, PhoneForwarded, PhoneOff, Workflow, type LucideIcon } from "lucide-react";
import type { ActionKind } from "@/agent/limits";

export const ACTION_ICONS: Record<ActionKind, LucideIcon> = {
  transfer: PhoneForwarded,
  workflow: Workflow,
  hang_up: PhoneOff,
  rag: BookOpenText,
  keypad: Grip,
  wait: Hourglass,
};

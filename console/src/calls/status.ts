import type { CallStatus } from "@/api/types";
import type { LampState } from "@/ui/Lamp";

const LAMPS: Record<CallStatus, LampState> = {
  in_progress: "changed",
  completed: "lit",
  transferred: "lit",
  failover: "alarm",
  rejected: "off",
  no_answer: "off",
  busy: "off",
  unreachable: "off",
  canceled: "off",
  voicemail: "waiting",
  failed: "alarm",
};

export function lampOf(status: CallStatus): LampState {
  return LAMPS[status];
}

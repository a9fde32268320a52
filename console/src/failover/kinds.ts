import { MessageSquareQuote, PhoneForwarded, Workflow, type LucideIcon } from "lucide-react";

export const FAILOVER_KINDS = ["workflow", "message", "transfer"] as const;
export const FAILOVER_ICONS: Record<(typeof FAILOVER_KINDS)[number], LucideIcon> = { workflow: Workflow, message: MessageSquareQuote, transfer: PhoneForwarded };

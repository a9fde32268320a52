/** The parts of the agent editor, and where each value of the document is. */
export const TABS = ["general", "voice", "numbers", "path", "actions", "failover", "versions"] as const;
export type Tab = (typeof TABS)[number];

const PLACES: Record<string, Tab> = {
  providers: "voice",
  pronunciations: "voice",
  phone_numbers: "numbers",
  sip_connection_id: "numbers",
  path: "path",
  actions: "actions",
  failover: "failover",
  default_error_message: "failover",
};

export function tabOf(path: string): Tab {
  return PLACES[/^[^.[]*/.exec(path)?.[0] ?? ""] ?? "general";
}

/** The parts of the settings, and where each value of the document is. */
export const TABS = ["general", "limits", "privacy", "failover", "alerts", "providers", "keys", "users", "secrets", "audit"] as const;
export type SettingsTab = (typeof TABS)[number];

const PLACES: Record<string, SettingsTab> = {
  max_outbound_legs: "limits",
  max_outbound_per_minute: "limits",
  max_bridged_seconds: "limits",
  refused_prefixes: "limits",
  allow_private_addresses: "limits",
  retention: "privacy",
  record_bridge: "privacy",
  failover_enabled: "failover",
  default_error_message: "failover",
  alert_url: "alerts",
  embedding: "providers",
};

/** Parts that edit the document, which is saved as a whole; the others are lists of their own. */
export const DOCUMENT_TABS: readonly SettingsTab[] = ["general", "limits", "privacy", "failover", "alerts", "providers"];

export function tabOf(path: string): SettingsTab {
  return PLACES[/^[^.[]*/.exec(path)?.[0] ?? ""] ?? "general";
}

import type { InstallationSettings } from "@/api/types";
import { REFUSED_PREFIXES } from "@/settings/schema";

/** Settings as a new installation has them, for a line in France. */
export const SETTINGS: InstallationSettings = {
  failover_enabled: false,
  default_country: "FR",
  default_language: "fr-FR",
  default_timezone: "Europe/Paris",
  outbound_connection_id: null,
  allow_private_addresses: false,
  max_outbound_legs: 50,
  max_outbound_per_minute: 60,
  refused_prefixes: [...REFUSED_PREFIXES],
  max_bridged_seconds: 14_400,
  record_bridge: false,
  default_error_message: null,
  alert_url: null,
  retention: { recordings_days: 30, calls_days: 365 },
  embedding: null,
};

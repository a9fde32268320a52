/** The installation's settings as a schema: bounds and defaults as the server's model has them. */
import { z } from "zod";
import type { Range } from "@/agent/limits";
import { range, spokenText, text } from "@/agent/schemaParts";

export const OUTBOUND_LEGS: Range = { min: 0, max: 10_000, default: 50 };
export const OUTBOUND_PER_MINUTE: Range = { min: 0, max: 10_000, default: 60 };
export const BRIDGED_SECONDS: Range = { min: 60, max: 86_400, default: 14_400 };
export const RECORDINGS_DAYS: Range = { min: 0, max: 3650, default: 30 };
export const CALLS_DAYS: Range = { min: 0, max: 3650, default: 365 };
export const KEY_DAYS: Range = { min: 1, max: 3650, default: 365 };
export const MIN_PASSWORD = 12;
export const MAX_PASSWORD = 200;
export const MAX_PERSON_NAME = 100;
export const MAX_SECRET = 10_000;
export const DEFAULT_LANGUAGE = "en-GB";
export const DEFAULT_TIMEZONE = "Europe/Paris";
/** Satellite, international shared-cost and premium ranges. */
export const REFUSED_PREFIXES: readonly string[] = ["+870", "+881", "+882", "+883", "+888", "+979", "+1900", "+1976", "+33899", "+3389", "+4487", "+4490", "+4491", "+4498"];

const whole = (bounds: Range) => range(bounds).int();
const url = z.string().max(2000).regex(/^https?:\/\/\S+$/, { error: "errors.url" });

export const settings = z.object({
  failover_enabled: z.boolean(),
  default_country: z.string().regex(/^[A-Z]{2}$/).nullable(),
  default_language: z.string().min(2),
  default_timezone: z.string().min(1),
  outbound_connection_id: z.string().nullable(),
  allow_private_addresses: z.boolean(),
  max_outbound_legs: whole(OUTBOUND_LEGS),
  max_outbound_per_minute: whole(OUTBOUND_PER_MINUTE),
  refused_prefixes: z.array(z.string().regex(/^\+[0-9]{1,14}$/, { error: "settings.errors.prefix" })),
  max_bridged_seconds: whole(BRIDGED_SECONDS),
  record_bridge: z.boolean(),
  default_error_message: spokenText.nullable(),
  alert_url: url.nullable(),
  retention: z.object({ recordings_days: whole(RECORDINGS_DAYS), calls_days: whole(CALLS_DAYS) }),
  embedding: z.object({ type: z.string().min(1), model: text(1, 200).nullable(), base_url: url.nullable(), api_key: z.string().min(1).max(500).nullable() }).nullable(),
});

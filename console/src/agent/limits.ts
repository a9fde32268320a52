/** Every bound and default of an agent's document, in one place: forms show them and the schema checks them. */

export interface Range {
  readonly min: number;
  readonly max: number;
  readonly default: number;
}

export const RING_SECONDS: Range = { min: 5, max: 45, default: 20 };
export const HANG_UP_ATTEMPTS: Range = { min: 1, max: 5, default: 1 };
export const WAIT_SECONDS: Range = { min: 5, max: 1800, default: 300 };
export const WORKFLOW_TIMEOUT_SECONDS: Range = { min: 1, max: 30, default: 10 };
export const PRE_CALL_SECONDS: Range = { min: 1, max: 20, default: 5 };
export const CALL_SECONDS: Range = { min: 10, max: 14_400, default: 1800 };
export const SILENCE_SECONDS: Range = { min: 3, max: 60, default: 10 };
export const END_OF_SPEECH_MS: Range = { min: 100, max: 5000, default: 600 };
export const VOICE_SPEED: Range = { min: 0.5, max: 2, default: 1 };

export const MAX_NAME = 200;
export const MAX_ACTION_NAME = 64;
export const MAX_DESCRIPTION = 4000;
export const MAX_TEMPLATE = 100_000;
export const MAX_SPOKEN_TEXT = 2000;
export const MAX_EXAMPLE = 500;
export const MAX_DESTINATION_DESCRIPTION = 500;
export const MAX_DESTINATIONS = 10_000;
export const MAX_HEADERS = 50;
export const MAX_HEADER_VALUE = 256;
export const MAX_USER_TO_USER = 1000;
export const MAX_RANGES = 100;
export const MAX_CLOSED_DATES = 1000;
export const MAX_PROVIDERS = 5;
export const MAX_CSV_BYTES = 5_242_880;
/** What the API shows in place of a secret that is stored; saving it keeps the secret. */
export const KEPT = "********";

export const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;
export type Day = (typeof DAYS)[number];

export const ACTION_KINDS = ["transfer", "workflow", "hang_up", "rag", "keypad", "wait"] as const;
export type ActionKind = (typeof ACTION_KINDS)[number];
/** Kinds of which an agent has one at most. */
export const SINGLE_KINDS: readonly ActionKind[] = ["hang_up", "keypad", "wait"];

export const STEP_KINDS = ["prompt", "say", "branch", "workflow", "transfer", "end"] as const;
export type StepKind = (typeof STEP_KINDS)[number];

export const VALUE_TYPES = ["string", "integer", "number", "boolean"] as const;
export const MESSAGE_MODES = ["text", "generated", "silent"] as const;
export const OPERATORS = [
  "equals",
  "not_equals",
  "contains",
  "starts_with",
  "greater_than",
  "less_than",
  "is_set",
  "is_not_set",
  "is_true",
  "is_false",
] as const;
export const OPERATORS_WITHOUT_VALUE: readonly string[] = ["is_set", "is_not_set", "is_true", "is_false"];
export const TRANSFER_OUTCOMES = [
  "answered",
  "busy",
  "no_answer",
  "declined",
  "unreachable",
  "out_of_hours",
  "invalid_destination",
  "refused_by_policy",
  "caller_left",
] as const;

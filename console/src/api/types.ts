/** What the API answers with, beside the documents themselves. */
import type { Agent, Failover } from "@/agent/schema";

export type Scope = "read" | "write" | "calls" | "admin";

export interface SessionState {
  signed_in: boolean;
  user: { id: string; name: string; role: "admin" | "editor" | "viewer" } | null;
  scopes: Scope[];
  csrf_token: string | null;
  first_sign_in: boolean;
}

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface AgentSummary {
  id: string;
  name: string;
  direction: "inbound" | "outbound";
  active: boolean;
  phone_numbers: string[];
  revision: number;
  live_version: number | null;
  unpublished: boolean;
  updated_at: string;
}

export interface AgentDraft {
  id: string;
  revision: number;
  live_version: number | null;
  unpublished: boolean;
  updated_at: string;
  document: Agent;
}

export interface AgentVersion {
  version: number;
  published_at: string;
  live: boolean;
}

export interface LiveFailover {
  failover: Failover;
  default_error_message: Agent["default_error_message"];
  live_version: number | null;
  revision: number;
}

export interface Named {
  id: string;
  document: { name: string };
}

export interface WorkflowSummary {
  id: string;
  document: { name: string; trigger: string; status: string };
}

export interface ImportRow {
  line: number;
  value: string;
  outcome: "accepted" | "duplicate" | "refused";
  phone: string | null;
  description: string;
  reason: string;
}

export interface NumberImport {
  saved_revision: number | null;
  accepted: number;
  duplicate: number;
  refused: number;
  separator: string;
  encoding: string;
  ignored_columns: string[];
  rows: ImportRow[];
  destinations: { phone: string | null; extension: string | null; description: string }[];
}

export const CALL_STATUSES = ["in_progress", "completed", "transferred", "failover", "rejected", "no_answer", "busy", "unreachable", "canceled", "voicemail", "failed"] as const;
export type CallStatus = (typeof CALL_STATUSES)[number];
export type Actor = "system" | "agent" | "caller" | "destination";

export interface CallSummary {
  id: string;
  direction: "inbound" | "outbound";
  status: CallStatus;
  agent_id: string | null;
  agent_version: number | null;
  caller: string;
  called: string;
  anonymous: boolean;
  connection_id: string | null;
  language: string;
  started_at: string;
  answered_at: string | null;
  ended_at: string | null;
  ended_by: Actor | null;
  end_reason: string;
  trigger: string | null;
  failover_action: string | null;
  failover_outcome: string | null;
  has_recording: boolean;
}

export interface CallDetail extends CallSummary {
  sip_call_id: string;
  context: Record<string, unknown>;
}

export interface TimelineEvent {
  number: number;
  at_ms: number;
  actor: Actor;
  kind: string;
  payload: Record<string, unknown>;
}

export interface SipConnection {
  name: string;
  host: string;
  port: number;
  transport: "udp";
  username: string | null;
  password: string | null;
  inbound_username: string | null;
  inbound_password: string | null;
  register: boolean;
  default_agent_id: string | null;
  from_mode: "agent" | "caller";
  number_format: "e164" | "digits" | "00" | "national";
  caller_id: string | null;
  headers: { name: string; value: string }[];
  allowed_addresses: string[];
  codecs: ("PCMA" | "PCMU" | "G722")[];
  dtmf: "auto" | "rfc4733" | "info" | "inband";
  max_calls: number | null;
}

export interface ConnectionState {
  up: boolean;
  registered: boolean | null;
  reachable: boolean | null;
  last_error: string;
}

export interface SipConnectionResource {
  id: string;
  revision: number;
  document: SipConnection;
  state: ConnectionState | null;
}

export interface ConnectionTest {
  ok: boolean;
  detail: string;
  hint: string;
  state: ConnectionState | null;
}

export interface InstallationSettings {
  failover_enabled: boolean;
  default_country: string | null;
  [name: string]: unknown;
}

export interface SettingsResource {
  revision: number;
  document: InstallationSettings;
}

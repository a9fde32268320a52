/** What the API answers with, beside the documents themselves. */
import type { Agent, Failover } from "@/agent/schema";
import type { Workflow } from "@/workflows/document";

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
  last_call_at: string | null;
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
  end_code: string | null;
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
  default_language: string;
  default_timezone: string;
  outbound_connection_id: string | null;
  allow_private_addresses: boolean;
  max_outbound_legs: number;
  max_outbound_per_minute: number;
  refused_prefixes: string[];
  max_bridged_seconds: number;
  record_bridge: boolean;
  default_error_message: Agent["default_error_message"];
  alert_url: string | null;
  retention: { recordings_days: number; calls_days: number };
  embedding: { type: string; model: string | null; base_url: string | null; api_key: string | null } | null;
}

export interface SettingsResource {
  revision: number;
  document: InstallationSettings;
}

/** Whom to talk to from the browser, and as whom. */
export interface TalkWanted {
  agent_id: string;
  /** The draft as it is stored, else the published version. */
  draft: boolean;
  /** A number to pretend; empty: withheld. */
  caller: string;
}

export interface BrowserCallStarted {
  id: string;
  sdp: string;
}

export interface ChatStarted {
  id: string;
}

export interface ChatEnd {
  reason: string;
}

export interface Use {
  kind: string;
  id: string;
  name: string;
  path: string;
  live: boolean;
}

export type RunStatus = "ok" | "error" | "timeout" | "cancelled";

export interface RunSummary {
  id: string;
  workflow_id: string;
  call_id: string | null;
  trigger: string;
  status: RunStatus;
  started_at: string;
  duration_ms: number;
}

export interface WorkflowResource {
  id: string;
  revision: number;
  document: Workflow;
}

/** A workflow in the list, with who names it and what it did last. */
export interface WorkflowOverview extends WorkflowResource {
  used_by: Use[] | null;
  last_run: RunSummary | null;
}

export interface RunFailure {
  step: string;
  code: string;
  message: string;
}

export interface RunStep {
  id: string;
  type: string;
  started_ms: number;
  duration_ms: number;
  request: unknown;
  reply: unknown;
  error: RunFailure | null;
}

export interface WorkflowRun extends RunSummary {
  result: unknown;
  context: Record<string, unknown>;
  error: RunFailure | null;
  steps: RunStep[];
  problem: string;
}

export interface WorkflowSample {
  input: Record<string, unknown>;
  context: Record<string, unknown>;
  call: Record<string, unknown>;
  agent: Record<string, unknown>;
  phone: string;
  agent_id: string;
  language: string;
  direction: "inbound" | "outbound";
}

export interface Delivery {
  id: string;
  call_id: string;
  workflow_id: string;
  status: "due" | "delivered" | "failed";
  attempts: number;
  created_at: string;
  updated_at: string;
  next_at: string | null;
  error: string;
}

export interface AlertTest {
  ok: boolean;
  detail: string;
  hint: string;
}

export interface ProviderStatus {
  id: string;
  type: string;
  server: string;
  services: ("stt" | "llm" | "tts")[];
  agents: string[];
  configured: boolean;
  state: "usable" | "down" | "refused" | "unknown" | "not_configured";
  since: string | null;
  last_error: string;
  hint: string;
  checked_at: string | null;
}

export interface ProviderCheck {
  ok: boolean;
  detail: string;
  hint: string;
  provider: ProviderStatus | null;
}

export interface ApiKey {
  id: string;
  name: string;
  scopes: Scope[];
  hint: string;
  rotating: boolean;
  created_at: string;
  created_by: string;
  rotated_at: string | null;
  expires_at: string | null;
  last_used_at: string | null;
  revoked_at: string | null;
}

export interface ApiKeySecret {
  key: ApiKey;
  secret: string;
}

export type Role = "admin" | "editor" | "viewer";

export interface User {
  id: string;
  name: string;
  role: Role;
  created_at: string;
  updated_at: string;
  last_sign_in_at: string | null;
}

export interface Erased {
  number: string;
  calls: number;
  recordings: number;
}

export interface AuditEntry {
  id: number;
  at: string;
  actor_kind: "user" | "key" | "admin_key";
  actor_id: string;
  actor_name: string;
  action: string;
  target_kind: string;
  target_id: string;
  changes: { path: string; before?: unknown; after?: unknown }[];
}

export interface DataSource {
  name: string;
  language: string;
  description: string | null;
  pages: { url: string }[];
}

export interface DataSourceState {
  state: "empty" | "indexing" | "ready" | "error";
  documents: number;
  passages: number;
  pending: number;
  refused: number;
}

export interface DataSourceResource {
  id: string;
  revision: number;
  document: DataSource;
  state: DataSourceState;
}

/** Something that names a document. */
export interface Use {
  kind: string;
  id: string;
  name: string;
  path: string;
  live: boolean;
}

export interface KnowledgeDocument {
  id: string;
  name: string;
  url: string | null;
  size: number;
  state: "waiting" | "reading" | "ready" | "refused";
  progress: number;
  error: string;
  searchable: boolean;
  passages: number;
  version: number;
  created_at: string;
  updated_at: string;
}

export interface TakenDocument {
  outcome: "added" | "replaced" | "unchanged";
  document: KnowledgeDocument;
}

export interface FoundPassage {
  document_id: string;
  document: string;
  title: string;
  position: string;
  text: string;
  score: number;
}

export interface SearchAnswer {
  items: FoundPassage[];
  took_ms: number;
}

export const FAILOVER_TRIGGERS = [
  "pre_call_timeout",
  "pre_call_error",
  "pre_call_invalid",
  "pre_call_requested",
  "configuration_rejected",
  "prompt_unrenderable",
  "agent_unavailable",
  "operator_forced",
  "during_call",
] as const;
export type FailoverTrigger = (typeof FAILOVER_TRIGGERS)[number];
export type FailoverDestination = "answered" | "busy" | "no_answer" | "unreachable";

export interface FailoverTried {
  trigger: FailoverTrigger;
  agent_answers: boolean;
  installation_on: boolean;
  status: CallStatus;
  action: "message" | "transfer" | "workflow" | null;
  outcome: string | null;
  ended_by: Actor | null;
  end_reason: string;
  cut_short: boolean;
  seconds: number;
  audio_id: string | null;
  events: TimelineEvent[];
  runs: { workflow_id: string; run_id: string }[];
}

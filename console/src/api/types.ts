/** What the API takes and answers with, under the console's names: `make` has `schema` made from the API's own description. */
import type { components } from "./schema";

type Served = components["schemas"];

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export type SessionState = Served["SessionState"];
export type Scope = SessionState["scopes"][number];
export type User = Served["User"];
export type Role = User["role"];

export type AgentSummary = Served["AgentSummary"];
export type AgentDraft = Served["AgentDraft"];
export type AgentVersion = Served["AgentVersion"];
export type LiveFailover = Served["LiveFailover"];
export type ImportRow = Served["ImportRow"];
export type NumberImport = Served["NumberImport"];

export type CallSummary = Served["CallSummary"];
export type CallDetail = Served["CallDetail"];
export type TimelineEvent = Served["TimelineEvent"];
export type CallStatus = Served["CallStatus"];
/** In the order of the choices. */
export const CALL_STATUSES = ["in_progress", "completed", "transferred", "failover", "rejected", "no_answer", "busy", "unreachable", "canceled", "voicemail", "failed"] as const satisfies readonly CallStatus[];

export type SipConnection = Served["SipConnection"];
export type SipConnectionResource = Served["SipConnectionResource"];
export type ConnectionState = Served["SipConnectionState"];
export type ConnectionTest = Served["SipConnectionTest"];

export type InstallationSettings = Served["InstallationSettings"];
export type SettingsResource = Served["SettingsResource"];
export type AlertTest = Served["AlertTest"];
export type ProviderStatus = Served["ProviderStatus"];
export type ProviderCheck = Served["ProviderCheck"];
export type ApiKey = Served["ApiKey"];
export type ApiKeySecret = Served["ApiKeySecret"];
export type Erased = Served["Erased"];
export type AuditEntry = Served["AuditEntry"];

/** Whom to talk to from the browser, and as whom. */
export type TalkWanted = Served["TalkWantedInput"];
export type BrowserCallStarted = Served["BrowserCallStarted"];
export type ChatStarted = Served["ChatStarted"];

/** Something that names a document. */
export type Use = Served["Use"];

export type WorkflowResource = Served["WorkflowResource"];
/** A workflow in the list, with who names it and what it did last. */
export type WorkflowOverview = Served["WorkflowInList"];
export type RunSummary = Served["WorkflowRunSummary"];
export type RunStatus = RunSummary["status"];
export type RunFailure = Served["RunFailure"];
export type RunStep = Served["RunStep"];
export type WorkflowRun = Served["WorkflowRun"];
export type WorkflowSample = Served["SampleInput"];
export type Delivery = Served["Delivery"];

export type DataSource = Served["DataSource"];
export type DataSourceState = Served["DataSourceState"];
export type DataSourceResource = Served["DataSourceResource"];
export type KnowledgeDocument = Served["KnowledgeDocument"];
export type TakenDocument = Served["TakenDocument"];
export type FoundPassage = Served["FoundPassage"];
export type SearchAnswer = Served["SearchAnswer"];

export type FailoverTried = Served["FailoverTried"];
export type FailoverTrigger = Served["Trigger"];
export type FailoverDestination = Served["FailoverTryInput"]["destination"];
/** In the order of the page. */
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
] as const satisfies readonly FailoverTrigger[];

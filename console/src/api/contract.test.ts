/** The console's types against those that `make` makes from the API's own description: where they differ, `npm run check` fails here. */
import { expectTypeOf, test } from "vitest";
import type { Agent, FailoverTab } from "@/agent/schema";
import type { Workflow } from "@/workflows/document";
import type { components } from "./schema";
import type * as own from "./types";

type Served = components["schemas"];

test("what the server answers is what the console reads", () => {
  expectTypeOf<Served["SessionState"]>().toExtend<own.SessionState>();
  expectTypeOf<Served["AgentSummary"]["revision"]>().toExtend<own.AgentSummary["revision"]>();
  expectTypeOf<Served["AgentSummary"]["last_call_at"]>().toExtend<own.AgentSummary["last_call_at"]>();
  expectTypeOf<Served["AgentVersion"]>().toExtend<own.AgentVersion>();
  expectTypeOf<Served["CallDetail"]>().toExtend<own.CallDetail>();
  expectTypeOf<Served["TimelineEvent"]>().toExtend<own.TimelineEvent>();
  expectTypeOf<Served["BrowserCallStarted"]>().toExtend<own.BrowserCallStarted>();
  expectTypeOf<Served["ChatStarted"]>().toExtend<own.ChatStarted>();
  expectTypeOf<Served["NumberImport"]>().toExtend<own.NumberImport>();
  expectTypeOf<Served["SipConnectionResource"]>().toExtend<own.SipConnectionResource>();
  expectTypeOf<Served["SipConnectionTest"]>().toExtend<own.ConnectionTest>();
  expectTypeOf<Served["DataSourceResource"]>().toExtend<own.DataSourceResource>();
  expectTypeOf<Served["DataSourceUses"]["items"][number]>().toExtend<own.Use>();
  expectTypeOf<Served["KnowledgeDocument"]>().toExtend<own.KnowledgeDocument>();
  expectTypeOf<Served["TakenDocuments"]["items"][number]>().toExtend<own.TakenDocument>();
  expectTypeOf<Served["SearchAnswer"]>().toExtend<own.SearchAnswer>();
  expectTypeOf<Served["LiveFailover"]>().toExtend<own.LiveFailover>();
  expectTypeOf<Served["FailoverTried"]>().toExtend<own.FailoverTried>();
  expectTypeOf<Served["Agent"]>().toExtend<Agent>();
  expectTypeOf<Served["WorkflowInList"]>().toExtend<own.WorkflowOverview>();
  expectTypeOf<Served["WorkflowRun"]>().toExtend<own.WorkflowRun>();
  expectTypeOf<Served["Delivery"]>().toExtend<own.Delivery>();
  expectTypeOf<Served["SettingsResource"]>().toExtend<own.SettingsResource>();
  expectTypeOf<Served["ProviderStatus"]>().toExtend<own.ProviderStatus>();
  expectTypeOf<Served["ProviderCheck"]>().toExtend<own.ProviderCheck>();
  expectTypeOf<Served["AlertTest"]>().toExtend<own.AlertTest>();
  expectTypeOf<Served["ApiKey"]>().toExtend<own.ApiKey>();
  expectTypeOf<Served["ApiKeySecret"]>().toExtend<own.ApiKeySecret>();
  expectTypeOf<Served["User"]>().toExtend<own.User>();
  expectTypeOf<Served["Erased"]>().toExtend<own.Erased>();
  expectTypeOf<Served["AuditEntry"]>().toExtend<own.AuditEntry>();
});

test("what the console sends is what the server takes", () => {
  expectTypeOf<Agent>().toExtend<Served["AgentInput"]>();
  expectTypeOf<FailoverTab>().toExtend<Served["FailoverTabInput"]>();
  expectTypeOf<Workflow>().toExtend<Served["WorkflowInput"]>();
  expectTypeOf<own.WorkflowSample>().toExtend<Served["SampleInput"]>();
  expectTypeOf<own.FailoverTrigger>().toEqualTypeOf<Served["FailoverTryInput"]["trigger"]>();
  expectTypeOf<own.FailoverDestination>().toExtend<NonNullable<Served["FailoverTryInput"]["destination"]>>();
  expectTypeOf<own.DataSource>().toExtend<Served["DataSourceInput"]>();
  expectTypeOf<own.SipConnection>().toExtend<Served["SipConnectionInput"]>();
  expectTypeOf<own.TalkWanted>().toExtend<Served["TalkWantedInput"]>();
  expectTypeOf<own.TalkWanted & { sdp: string }>().toExtend<Served["BrowserCallWantedInput"]>();
  expectTypeOf<own.InstallationSettings>().toExtend<Served["InstallationSettingsInput"]>();
});

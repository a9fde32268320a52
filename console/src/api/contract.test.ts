/** The console's own documents and lists against what `make` makes of the API's description: where they differ, `npm run check` fails here. */
import { expectTypeOf, test } from "vitest";
import type { Agent, FailoverTab } from "@/agent/schema";
import type { Workflow } from "@/workflows/document";
import type { components } from "./schema";
import type * as own from "./types";

type Served = components["schemas"];

test("the documents that the server answers with are those that the console edits", () => {
  expectTypeOf<Served["Agent"]>().toExtend<Agent>();
  expectTypeOf<own.LiveFailover>().toExtend<FailoverTab>();
  expectTypeOf<Served["Workflow"]>().toExtend<Workflow>();
});

test("what the console sends is what the server takes", () => {
  expectTypeOf<Agent>().toExtend<Served["AgentInput"]>();
  expectTypeOf<FailoverTab>().toExtend<Served["FailoverTabInput"]>();
  expectTypeOf<Workflow>().toExtend<Served["WorkflowInput"]>();
  expectTypeOf<own.DataSource>().toExtend<Served["DataSourceInput"]>();
  expectTypeOf<own.SipConnection>().toExtend<Served["SipConnectionInput"]>();
  expectTypeOf<own.InstallationSettings>().toExtend<Served["InstallationSettingsInput"]>();
  expectTypeOf<own.TalkWanted & { sdp: string }>().toExtend<Served["BrowserCallWantedInput"]>();
  expectTypeOf<own.FailoverTrigger>().toEqualTypeOf<Served["TriggerInput"]>();
});

test("lists of choices lack none", () => {
  expectTypeOf<(typeof own.CALL_STATUSES)[number]>().toEqualTypeOf<own.CallStatus>();
  expectTypeOf<(typeof own.FAILOVER_TRIGGERS)[number]>().toEqualTypeOf<own.FailoverTrigger>();
});

/** The console's types against those made from the server's OpenAPI: `npm run api` renews them, this file then fails to compile. */
import { expectTypeOf, test } from "vitest";
import type { Agent, FailoverTab } from "@/agent/schema";
import type { components } from "./schema";
import type * as own from "./types";

type Served = components["schemas"];

test("what the server answers is what the console reads", () => {
  expectTypeOf<Served["SessionState"]>().toExtend<own.SessionState>();
  expectTypeOf<Served["AgentSummary"]["revision"]>().toExtend<own.AgentSummary["revision"]>();
  expectTypeOf<Served["AgentVersion"]>().toExtend<own.AgentVersion>();
  expectTypeOf<Served["CallDetail"]>().toExtend<own.CallDetail>();
  expectTypeOf<Served["TimelineEvent"]>().toExtend<own.TimelineEvent>();
  expectTypeOf<Served["NumberImport"]>().toExtend<own.NumberImport>();
  expectTypeOf<Served["SipConnectionResource"]>().toExtend<own.SipConnectionResource>();
  expectTypeOf<Served["SipConnectionTest"]>().toExtend<own.ConnectionTest>();
  expectTypeOf<Served["LiveFailover"]>().toExtend<own.LiveFailover>();
  expectTypeOf<Served["Agent"]>().toExtend<Agent>();
});

test("what the console sends is what the server takes", () => {
  expectTypeOf<Agent>().toExtend<Served["AgentInput"]>();
  expectTypeOf<FailoverTab>().toExtend<Served["FailoverTabInput"]>();
  expectTypeOf<own.SipConnection>().toExtend<Served["SipConnectionInput"]>();
});

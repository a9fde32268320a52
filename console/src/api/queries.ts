/** What several pages ask for: kept for a while, under names that changes can refresh. */
import { queryOptions } from "@tanstack/react-query";
import { all, getAgent, getFailover, listAgents, listVersions } from "./agents";
import { getCall, getTimeline, listCalls } from "./calls";
import { getSettings, listKeys, listProviders, listUsers } from "./settings";
import { getRun, getWorkflow, listSecrets, listWorkflows } from "./workflows";
import type { DataSourceResource, SipConnectionResource, WorkflowResource } from "./types";

export const agentsQuery = queryOptions({ queryKey: ["agents"], queryFn: listAgents });
export const agentQuery = (id: string) => queryOptions({ queryKey: ["agents", id], queryFn: () => getAgent(id), staleTime: Infinity, gcTime: 0 });
export const versionsQuery = (id: string) => queryOptions({ queryKey: ["agents", id, "versions"], queryFn: () => listVersions(id) });
export const failoverQuery = (id: string) => queryOptions({ queryKey: ["agents", id, "failover"], queryFn: () => getFailover(id) });

export const connectionsQuery = queryOptions({ queryKey: ["sip-connections"], queryFn: () => all<SipConnectionResource>("/sip-connections") });
export const workflowsQuery = queryOptions({ queryKey: ["workflows"], queryFn: () => all<WorkflowResource>("/workflows") });
/** Under the name of the short list: what refreshes that refreshes this. */
export const workflowOverviewQuery = queryOptions({ queryKey: ["workflows", "overview"], queryFn: listWorkflows });
export const workflowQuery = (id: string) => queryOptions({ queryKey: ["workflows", id, "document"], queryFn: () => getWorkflow(id), staleTime: Infinity, gcTime: 0 });
export const workflowRunQuery = (id: string, run: string) => queryOptions({ queryKey: ["workflows", id, "runs", run], queryFn: () => getRun(id, run), staleTime: Infinity });
export const secretsQuery = queryOptions({ queryKey: ["secrets"], queryFn: listSecrets });
export const dataSourcesQuery = queryOptions({ queryKey: ["data-sources"], queryFn: () => all<DataSourceResource>("/data-sources") });
export const settingsQuery = queryOptions({ queryKey: ["settings"], queryFn: getSettings });
export const providersQuery = queryOptions({ queryKey: ["providers"], queryFn: listProviders });
export const keysQuery = queryOptions({ queryKey: ["keys"], queryFn: listKeys });
export const usersQuery = queryOptions({ queryKey: ["users"], queryFn: listUsers });

export const liveCallsQuery = queryOptions({ queryKey: ["calls", "live"], queryFn: () => listCalls({ status: "in_progress" }, undefined, 100), refetchInterval: 3000 });
export const callQuery = (id: string) => queryOptions({ queryKey: ["calls", id], queryFn: () => getCall(id) });
export const timelineQuery = (id: string) => queryOptions({ queryKey: ["calls", id, "timeline"], queryFn: () => getTimeline(id) });

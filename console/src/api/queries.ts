/** What several pages ask for: kept for a while, under names that changes can refresh. */
import { queryOptions } from "@tanstack/react-query";
import { all, getAgent, getFailover, listAgents, listVersions } from "./agents";
import { request } from "./client";
import { getCall, getTimeline, listCalls } from "./calls";
import type { Named, SettingsResource, SipConnectionResource, WorkflowSummary } from "./types";

export const agentsQuery = queryOptions({ queryKey: ["agents"], queryFn: listAgents });
export const agentQuery = (id: string) => queryOptions({ queryKey: ["agents", id], queryFn: () => getAgent(id), staleTime: Infinity, gcTime: 0 });
export const versionsQuery = (id: string) => queryOptions({ queryKey: ["agents", id, "versions"], queryFn: () => listVersions(id) });
export const failoverQuery = (id: string) => queryOptions({ queryKey: ["agents", id, "failover"], queryFn: () => getFailover(id) });

export const connectionsQuery = queryOptions({ queryKey: ["sip-connections"], queryFn: () => all<SipConnectionResource>("/sip-connections") });
export const workflowsQuery = queryOptions({ queryKey: ["workflows"], queryFn: () => all<WorkflowSummary>("/workflows") });
export const dataSourcesQuery = queryOptions({ queryKey: ["data-sources"], queryFn: () => all<Named>("/data-sources") });
export const settingsQuery = queryOptions({ queryKey: ["settings"], queryFn: () => request<SettingsResource>("GET", "/settings") });

export const recentCallsQuery = queryOptions({ queryKey: ["calls", "recent"], queryFn: () => listCalls({}, undefined, 200) });
export const callQuery = (id: string) => queryOptions({ queryKey: ["calls", id], queryFn: () => getCall(id) });
export const timelineQuery = (id: string) => queryOptions({ queryKey: ["calls", id, "timeline"], queryFn: () => getTimeline(id) });

/** Agents: drafts, publishing, versions, and the failover tab. */
import type { Agent, FailoverTab } from "@/agent/schema";
import { request } from "./client";
import type { AgentDraft, AgentSummary, AgentVersion, LiveFailover, Page } from "./types";

const at = (id: string) => `/agents/${encodeURIComponent(id)}`;

export async function listAgents(): Promise<AgentSummary[]> {
  return all<AgentSummary>("/agents");
}

/** Every item of a paged list. */
export async function all<T>(path: string, query: Record<string, string> = {}): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page: Page<T> = await request("GET", path, { query: { ...query, limit: 500, cursor } });
    items.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}

export const getAgent = (id: string) => request<AgentDraft>("GET", at(id));
export const createAgent = (document: Agent) => request<AgentDraft>("POST", "/agents", { body: { document } });
export const saveAgent = (id: string, document: Agent, revision: number) => request<AgentDraft>("PUT", at(id), { body: document, revision });
export const deleteAgent = (id: string) => request<undefined>("DELETE", at(id));
export const publishAgent = (id: string, revision: number) => request<{ live_version: number }>("POST", `${at(id)}/publish`, { revision });
export const checkAgent = (id: string, document: Agent) =>
  request<{ publishable: boolean; errors: { path: string; message: string }[] }>("POST", "/agents/check", { body: { id, document } });

export const listVersions = async (id: string) => (await request<{ items: AgentVersion[] }>("GET", `${at(id)}/versions`)).items;
export const getVersion = async (id: string, version: number) => (await request<{ document: Agent }>("GET", `${at(id)}/versions/${version}`)).document;
export const restoreVersion = (id: string, version: number, revision: number) => request<AgentDraft>("POST", `${at(id)}/versions/${version}/restore`, { revision });

export const getFailover = (id: string) => request<LiveFailover>("GET", `${at(id)}/failover`);
export const saveFailover = (id: string, tab: FailoverTab, revision: number) => request<LiveFailover>("PUT", `${at(id)}/failover`, { body: tab, revision });

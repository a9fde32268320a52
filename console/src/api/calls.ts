/** Calls, read. */
import { request } from "./client";
import type { CallDetail, CallSummary, Page, TimelineEvent } from "./types";

export interface CallFilter {
  agent_id?: string;
  status?: string;
  direction?: string;
  number?: string;
  since?: string;
  until?: string;
}

const at = (id: string) => `/calls/${encodeURIComponent(id)}`;

export const listCalls = (filter: CallFilter, cursor: string | undefined, limit = 50) =>
  request<Page<CallSummary>>("GET", "/calls", { query: { ...filter, cursor, limit } });
export const getCall = (id: string) => request<CallDetail>("GET", at(id));
export const getTimeline = async (id: string) => (await request<{ items: TimelineEvent[] }>("GET", `${at(id)}/timeline`)).items;
export const deleteCall = (id: string) => request<undefined>("DELETE", at(id));
export const recordingUrl = (id: string) => `/v1${at(id)}/recording`;

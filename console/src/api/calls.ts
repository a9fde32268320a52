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
export const hangUpCall = (id: string) => request<CallDetail>("POST", `${at(id)}/hang-up`);
/** Of the calls that a filter keeps, as a spreadsheet of the language reads it. */
export const exportUrl = (filter: CallFilter, language: string) =>
  `/v1/calls/export.csv?${new URLSearchParams({ ...filter, separator: language === "fr" ? "semicolon" : "comma" }).toString()}`;
export const recordingUrl = (id: string) => `/v1${at(id)}/recording`;

export const placeCall = (call: { agent_id: string; to: string; sip_connection_id?: string }) => request<CallDetail>("POST", "/calls", { body: call });

/** Workflows: stored, tried, what ran, what was sent after calls, and the secrets that they name. */
import type { Workflow } from "@/workflows/document";
import { all } from "./agents";
import { request } from "./client";
import type { Delivery, Page, RunSummary, WorkflowOverview, WorkflowResource, WorkflowRun, WorkflowSample } from "./types";

const at = (id: string) => `/workflows/${encodeURIComponent(id)}`;

export const listWorkflows = () => all<WorkflowOverview>("/workflows", { details: "true" });
export const getWorkflow = (id: string) => request<WorkflowResource>("GET", at(id));
export const createWorkflow = (document: Workflow) => request<WorkflowResource>("POST", "/workflows", { body: { document } });
export const saveWorkflow = (id: string, document: Workflow, revision: number) => request<WorkflowResource>("PUT", at(id), { body: document, revision });
export const deleteWorkflow = (id: string) => request<undefined>("DELETE", at(id));
/** Runs the document as it is given, stored or not; its requests are really sent. */
export const tryWorkflow = (id: string, document: Workflow, sample: WorkflowSample) => request<WorkflowRun>("POST", `${at(id)}/try`, { body: { document, sample } });

export const listRuns = (id: string, status: string | undefined, cursor: string | undefined) =>
  request<Page<RunSummary>>("GET", `${at(id)}/runs`, { query: { status, cursor, limit: 50 } });
export const getRun = (id: string, run: string) => request<WorkflowRun>("GET", `${at(id)}/runs/${encodeURIComponent(run)}`);

export const listDeliveries = (id: string, status: string | undefined, cursor: string | undefined) =>
  request<Page<Delivery>>("GET", "/deliveries", { query: { workflow_id: id, status, cursor, limit: 50 } });
export const resendDelivery = (id: string) => request<Delivery>("POST", `/deliveries/${encodeURIComponent(id)}/resend`);

const secret = (name: string) => `/secrets/${encodeURIComponent(name)}`;

export const listSecrets = async () => (await request<{ items: string[] }>("GET", "/secrets")).items;
export const saveSecret = (name: string, value: string) => request<undefined>("PUT", secret(name), { body: { value } });
export const deleteSecret = (name: string) => request<undefined>("DELETE", secret(name));

/** A workflow as the API holds it. Bounds are the server's model's. */
import type { Range } from "@/agent/limits";

export const TRIGGERS = ["pre_call", "live_call", "failover", "post_call"] as const;
export type Trigger = (typeof TRIGGERS)[number];
export const WORKFLOW_STATUSES = ["draft", "published", "disabled"] as const;
export type WorkflowStatus = (typeof WORKFLOW_STATUSES)[number];
export const INPUT_TYPES = ["string", "integer", "number", "boolean"] as const;
export const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] as const;
export const STEP_TYPES = ["http", "set", "branch", "delay", "return"] as const;
export type StepType = (typeof STEP_TYPES)[number];

export const HTTP_SECONDS: Range = { min: 0.1, max: 60, default: 5 };
export const RETRIES: Range = { min: 0, max: 5, default: 0 };
/** Of steps, inputs and values. */
export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
export const DELAY_SECONDS: Range = { min: 0.1, max: 120, default: 2 };
export const STATUS_CODE = { min: 100, max: 599 };
export const MAX_WORKFLOW_DESCRIPTION = 4000;
export const MAX_INPUT_DESCRIPTION = 1000;
export const MAX_INPUTS = 50;
export const MAX_STEPS = 100;
export const MAX_BRANCHES = 20;
export const MAX_URL = 2000;

export interface InputField {
  name: string;
  type: (typeof INPUT_TYPES)[number];
  description: string;
  required: boolean;
}

interface StepBase {
  id: string;
  on_error: "stop" | "continue";
}

export interface HttpStep extends StepBase {
  type: "http";
  method: (typeof METHODS)[number];
  url: string;
  headers: Record<string, string>;
  query: Record<string, string>;
  body: unknown;
  timeout_seconds: number;
  retries: number;
  expected_status: number[];
}

export interface SetStep extends StepBase {
  type: "set";
  values: Record<string, unknown>;
}

export type Operator = "equals" | "not_equals" | "contains" | "starts_with" | "greater_than" | "less_than" | "is_set" | "is_not_set" | "is_true" | "is_false";

export interface Condition {
  variable: string;
  operator: Operator;
  value: string | number | boolean | null;
}

export interface BranchStep extends StepBase {
  type: "branch";
  branches: (Condition & { steps: WorkflowStep[] })[];
  else: WorkflowStep[];
}

export interface DelayStep extends StepBase {
  type: "delay";
  seconds: number;
}

export interface ReturnStep extends StepBase {
  type: "return";
  value: unknown;
}

export type WorkflowStep = HttpStep | SetStep | BranchStep | DelayStep | ReturnStep;

export interface Workflow {
  name: string;
  trigger: Trigger;
  status: WorkflowStatus;
  kind: "steps" | "webhook";
  description: string;
  input: InputField[];
  steps: WorkflowStep[] | null;
  url: string | null;
  headers: Record<string, string>;
  secret: string | null;
}

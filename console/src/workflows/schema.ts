/** A workflow in the form as a schema: bounds as the server's model has them. */
import { z } from "zod";
import { OPERATORS, OPERATORS_WITHOUT_VALUE } from "@/agent/limits";
import { range, report, template, text, unique } from "@/agent/schemaParts";
import * as limits from "./document";
import { readStatuses, type StepDraft, type WorkflowDraft } from "./draft";
import { stepsIn } from "./edits";
import { readJson } from "./json";

const variableName = z.string().regex(limits.VARIABLE_NAME, { error: "errors.variableName" });
const json = template.refine((value) => !readJson(value).broken, { params: { key: "errors.json" } });
const onError = z.enum(["stop", "continue"]);
const pair = z.object({ name: z.string().min(1), value: z.string() });
const header = z.object({ name: z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, { error: "errors.headerName" }), value: template.refine((value) => !/[\r\n\0]/.test(value), { params: { key: "errors.headerValue" } }) });

type Issues = z.RefinementCtx;
type Rows = readonly { name: string }[];

const sameNames = (ctx: Issues, at: string, rows: Rows, key: string, fold = (name: string) => name) =>
  unique(ctx, rows.map(({ name }) => fold(name)), (index) => [at, index, "name"], key);

const http = z
  .object({
    type: z.literal("http"),
    id: variableName,
    on_error: onError,
    method: z.enum(limits.METHODS),
    url: template.min(1),
    headers: z.array(header),
    query: z.array(pair),
    body: json,
    timeout_seconds: range(limits.HTTP_SECONDS),
    retries: range(limits.RETRIES),
    expected_status: z.string().refine((value) => readStatuses(value)?.every((code) => code >= limits.STATUS_CODE.min && code <= limits.STATUS_CODE.max) ?? false, { params: { key: "errors.statuses" } }),
  })
  .superRefine((step, ctx) => {
    sameNames(ctx, "headers", step.headers, "errors.duplicateHeader", (name) => name.toLowerCase());
    sameNames(ctx, "query", step.query, "errors.duplicateRow");
  });

const set = z
  .object({ type: z.literal("set"), id: variableName, on_error: onError, values: z.array(z.object({ name: variableName, value: json })) })
  .superRefine((step, ctx) => sameNames(ctx, "values", step.values, "errors.duplicateRow"));

const condition = z.object({
  variable: z.string().regex(/^[A-Za-z_][\w.-]{0,199}$/, { error: "errors.conditionVariable" }),
  operator: z.enum(OPERATORS),
  value: z.union([z.string(), z.number(), z.boolean(), z.null()]),
});

const steps: z.ZodType<StepDraft[]> = z.lazy(() => z.array(step));
const arm = condition.extend({ steps }).superRefine((value, ctx) => {
  if (!OPERATORS_WITHOUT_VALUE.includes(value.operator) && value.value === null) report(ctx, ["value"], "errors.required");
});
const branch = z.object({ type: z.literal("branch"), id: variableName, on_error: onError, branches: z.array(arm).min(1).max(limits.MAX_BRANCHES), else: steps });
const delay = z.object({ type: z.literal("delay"), id: variableName, on_error: onError, seconds: range(limits.DELAY_SECONDS) });
const back = z.object({ type: z.literal("return"), id: variableName, on_error: onError, value: json });
const step: z.ZodType<StepDraft> = z.discriminatedUnion("type", [http, set, branch, delay, back]);

const input = z.object({ name: variableName, type: z.enum(limits.INPUT_TYPES), description: z.string().max(limits.MAX_INPUT_DESCRIPTION), required: z.boolean() });

const shared = z.object({
  name: text(1, 200),
  trigger: z.enum(limits.TRIGGERS),
  status: z.enum(limits.WORKFLOW_STATUSES),
  description: z.string().max(limits.MAX_WORKFLOW_DESCRIPTION),
  input: z.array(input).max(limits.MAX_INPUTS),
});
const webhook = shared.extend({
  kind: z.literal("webhook"),
  url: z.string().trim().regex(/^https?:\/\/\S+$/, { error: "errors.webhookUrl" }).max(limits.MAX_URL),
  headers: z.array(header),
  secret: z.string().max(500).nullable(),
});
const ofSteps = shared.extend({ kind: z.literal("steps"), steps: z.array(step).max(limits.MAX_STEPS) });

export const workflowForm = z.discriminatedUnion("kind", [webhook, ofSteps]).superRefine((value, ctx) => {
  sameNames(ctx, "input", value.input, "errors.duplicateRow");
  if (value.kind === "webhook") sameNames(ctx, "headers", value.headers, "errors.duplicateHeader", (name) => name.toLowerCase());
  else {
    const found = [...stepsIn(value.steps)];
    unique(ctx, found.map(({ step: one }) => one.id), (index) => [...(found[index]?.path ?? []), "id"], "errors.duplicateStep");
  }
}) satisfies z.ZodType<unknown, WorkflowDraft | unknown>;

/** The conversation graph as a schema. Whether it holds together as a whole is `pathProblems`' business. */
import { z } from "zod";
import * as limits from "./limits";
import { identifier, oneOf, range, report, template, text, unique } from "./schemaParts";

const stepId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, { error: "errors.stepId" });
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, { error: "errors.variableName" });
const target = z.string().min(1);

const message = z
  .object({ mode: z.enum(limits.MESSAGE_MODES), text: template.nullable() })
  .superRefine((value, ctx) => {
    if (value.mode === "text" && !value.text?.trim()) report(ctx, ["text"], "errors.required");
  });

const extraction = z.object({
  name: variable,
  description: text(1, limits.MAX_DESCRIPTION),
  type: z.enum(limits.VALUE_TYPES),
  required: z.boolean(),
});

export const transition = z
  .object({
    name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, { error: "errors.transitionName" }),
    description: text(1, limits.MAX_DESCRIPTION),
    to: target,
    message,
    extract: z.array(extraction).max(50),
  })
  .superRefine((value, ctx) => {
    unique(ctx, value.extract.map((item) => item.name), (index) => ["extract", index, "name"], "errors.duplicateName");
  });

export const branch = z
  .object({
    variable: z.string().regex(/^[A-Za-z_][\w.-]{0,199}$/, { error: "errors.variableName" }),
    operator: z.enum(limits.OPERATORS),
    value: z.union([z.string(), z.number(), z.boolean(), z.null()]),
    to: target,
  })
  .superRefine((value, ctx) => {
    if (!limits.OPERATORS_WITHOUT_VALUE.includes(value.operator) && (value.value === null || value.value === ""))
      report(ctx, ["value"], "errors.required");
  });

const common = { id: stepId, name: text(1, limits.MAX_NAME).nullable() };

export const promptStep = z
  .object({
    type: z.literal("prompt"),
    ...common,
    prompt: template,
    actions: z.array(z.string()),
    transitions: z.array(transition).max(50),
    end_of_speech_ms: range(limits.END_OF_SPEECH_MS),
    interruptible: z.boolean(),
    sensitive: z.boolean(),
  })
  .superRefine((value, ctx) => {
    unique(ctx, value.transitions.map((item) => item.name), (index) => ["transitions", index, "name"], "errors.duplicateName");
  });
export const sayStep = z.object({ type: z.literal("say"), ...common, text: template.min(1), to: target });
export const branchStep = z.object({ type: z.literal("branch"), ...common, branches: z.array(branch).min(1).max(50), else: target });
export const workflowStep = z.object({
  type: z.literal("workflow"),
  ...common,
  workflow_id: identifier,
  input: z.record(z.string(), template),
  on_success: target,
  on_error: target,
});
export const transferStep = z.object({
  type: z.literal("transfer"),
  ...common,
  action: z.string().min(1),
  outcomes: z.partialRecord(z.enum(limits.TRANSFER_OUTCOMES), target),
  else: target,
});
export const endStep = z.object({ type: z.literal("end"), ...common, text: template.nullable() });

export const step = oneOf([promptStep, sayStep, branchStep, workflowStep, transferStep, endStep]);
export const path = z.object({ start: z.string().min(1), steps: z.array(step).min(1).max(500) });

/** The agent's document: its types, and what is wrong with one before the server is asked. */
import { z } from "zod";
import { action, type destination, type schedule, type timeRange, type transferAction } from "./actionSchema";
import * as limits from "./limits";
import { path, type branch, type promptStep, type step, type transition } from "./pathSchema";
import { pathProblems } from "./pathProblems";
import { header, identifier, oneOf, range, report, spokenText, template, text, unique } from "./schemaParts";
import { slug } from "./slug";

const provider = z.object({
  type: z.string().regex(/^[a-z][a-z0-9_]{0,31}$/),
  model: text(1, 200).nullable(),
  base_url: z.string().regex(/^https?:\/\/\S+$/, { error: "errors.url" }).nullable(),
  api_key: z.string().min(1).nullable(),
});
const speechProvider = provider.extend({ voice: z.object({ id: text(1, 200).nullable(), speed: range(limits.VOICE_SPEED) }) });

const failoverTransfer = z
  .object({
    type: z.literal("transfer"),
    max_ring_seconds: range(limits.RING_SECONDS),
    phone: z.string().regex(/^\+[1-9]\d{4,14}$/, { error: "errors.phone" }).nullable(),
    sip_connection_id: identifier.nullable(),
    destination_id: text(1, 200).nullable(),
    user_to_user: template.max(limits.MAX_USER_TO_USER).nullable(),
    headers: z.array(header).max(limits.MAX_HEADERS),
  })
  .superRefine((value, ctx) => {
    if (value.phone === null && value.sip_connection_id === null) report(ctx, ["phone"], "errors.required");
    unique(ctx, value.headers.map((item) => item.name.toLowerCase()), (index) => ["headers", index, "name"], "errors.duplicateHeader");
  });
export const failoverAction = oneOf([
  z.object({ type: z.literal("message"), ...spokenText.shape }).superRefine((value, ctx) => {
    if (value.text.includes("{{") || value.text.includes("{%")) report(ctx, ["text"], "errors.literalText");
  }),
  failoverTransfer,
  z.object({ type: z.literal("workflow"), workflow_id: identifier }),
]);
export const failover = z
  .object({
    enabled: z.boolean(),
    forced_until: z.string().nullable(),
    during_call: z.boolean(),
    action: failoverAction.nullable(),
  })
  .superRefine((value, ctx) => {
    if (value.enabled && value.action === null) report(ctx, ["action"], "errors.failoverAction");
  });
export const failoverTab = z.object({ failover, default_error_message: spokenText.nullable() });

export const agent = z
  .object({
    name: text(1, limits.MAX_NAME),
    direction: z.enum(["inbound", "outbound"]),
    active: z.boolean(),
    language: z.string().min(2),
    timezone: z.string().min(1),
    phone_numbers: z.array(z.string().regex(/^\+[1-9]\d{4,14}$/, { error: "errors.phone" })),
    sip_connection_id: identifier.nullable(),
    max_call_seconds: range(limits.CALL_SECONDS),
    record_audio: z.boolean(),
    announcement: template.nullable(),
    pronunciations: z.record(z.string(), z.union([z.string(), z.record(z.string(), z.string())])),
    providers: z.object({
      stt: z.array(provider).min(1).max(limits.MAX_PROVIDERS),
      llm: z.array(provider).min(1).max(limits.MAX_PROVIDERS),
      tts: z.array(speechProvider).min(1).max(limits.MAX_PROVIDERS),
    }),
    greeting: template.nullable(),
    prompt: template,
    silence_check_seconds: range(limits.SILENCE_SECONDS),
    path: path.nullable(),
    actions: z.array(action).max(100),
    pre_call: z.object({ workflow_id: identifier, timeout_seconds: range(limits.PRE_CALL_SECONDS) }).nullable(),
    failover,
    default_error_message: spokenText.nullable(),
  })
  .superRefine((value, ctx) => {
    unique(ctx, value.phone_numbers, (index) => ["phone_numbers", index], "errors.duplicateNumber");
    unique(ctx, value.actions.map((item) => slug(item.name)), (index) => ["actions", index, "name"], "errors.duplicateAction");
    for (const kind of limits.SINGLE_KINDS)
      value.actions
        .map((item, index) => ({ item, index }))
        .filter(({ item }) => item.type === kind)
        .slice(1)
        .forEach(({ index }) => report(ctx, ["actions", index, "name"], "errors.singleAction"));
    if (value.record_audio && !value.announcement?.trim()) report(ctx, ["announcement"], "errors.announcement");
    if (value.direction === "outbound" && value.failover.enabled) report(ctx, ["failover", "enabled"], "errors.failoverInbound");
    if (value.path) for (const problem of pathProblems(value.path, value.actions)) report(ctx, problem.path, problem.key, problem.values);
  });

export type Agent = z.infer<typeof agent>;
export type Provider = z.infer<typeof provider>;
export type SpeechProvider = z.infer<typeof speechProvider>;
export type Failover = z.infer<typeof failover>;
export type FailoverAction = z.infer<typeof failoverAction>;
export type FailoverTab = z.infer<typeof failoverTab>;
export type Action = z.infer<typeof action>;
export type TransferAction = z.infer<typeof transferAction>;
export type Destination = z.infer<typeof destination>;
export type Schedule = z.infer<typeof schedule>;
export type TimeRange = z.infer<typeof timeRange>;
export type Header = z.infer<typeof header>;
export type Path = z.infer<typeof path>;
export type Step = z.infer<typeof step>;
export type PromptStep = z.infer<typeof promptStep>;
export type Transition = z.infer<typeof transition>;
export type Branch = z.infer<typeof branch>;

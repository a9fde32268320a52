/** The six kinds of action as schemas; the server's models are the law, these say the same sooner and in the person's language. */
import { z } from "zod";
import * as limits from "./limits";
import { header, identifier, oneOf, range, report, template, text, unique } from "./schemaParts";

const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/);

export const timeRange = z
  .object({ days: z.array(z.enum(limits.DAYS)).min(1).max(7), start: clock, end: clock })
  .superRefine((value, ctx) => {
    if (value.start >= value.end) report(ctx, ["end"], "errors.rangeOrder");
  });

export const schedule = z
  .object({
    enabled: z.boolean(),
    mode: z.enum(["inside", "outside"]),
    ranges: z.array(timeRange).max(limits.MAX_RANGES),
    closed_dates: z.array(z.string().regex(/^\d{4}-\d{2}-\d{2}$/)).max(limits.MAX_CLOSED_DATES),
  })
  .superRefine((value, ctx) => {
    if (value.enabled && value.ranges.length === 0) report(ctx, ["ranges"], "errors.scheduleEmpty");
  });

export const destination = z
  .object({
    phone: z.string().nullable(),
    extension: z.string().nullable(),
    description: z.string().max(limits.MAX_DESTINATION_DESCRIPTION),
  })
  .superRefine((value, ctx) => {
    if (value.phone !== null && !/^\+[1-9]\d{4,14}$/.test(value.phone)) report(ctx, ["phone"], "errors.phone");
    if (value.extension !== null && !/^[0-9A-Za-z*#._-]{1,32}$/.test(value.extension))
      report(ctx, ["extension"], "errors.extension");
    if ((value.phone === null) === (value.extension === null)) report(ctx, ["phone"], "errors.oneAddress");
  });

const preMessage = z.object({ enabled: z.boolean(), example: z.string().max(limits.MAX_EXAMPLE).nullable() });
const named = { name: text(1, limits.MAX_ACTION_NAME), description: text(1, limits.MAX_DESCRIPTION) };

export const transferAction = z
  .object({
    type: z.literal("transfer"),
    ...named,
    max_ring_seconds: range(limits.RING_SECONDS),
    destinations: z.array(destination).max(limits.MAX_DESTINATIONS),
    sip_connection_id: identifier.nullable(),
    destination_id: text(1, 200).nullable(),
    user_to_user: template.max(limits.MAX_USER_TO_USER).nullable(),
    headers: z.array(header).max(limits.MAX_HEADERS),
    target_agent_id: identifier.nullable(),
    whisper: template.nullable(),
    accept_key: z.string().regex(/^[0-9*#]$/).nullable(),
    schedule,
  })
  .superRefine((value, ctx) => {
    if (value.target_agent_id === null && value.sip_connection_id === null) {
      if (value.destinations.length === 0) report(ctx, ["destinations"], "errors.noDestination");
      value.destinations.forEach((item, index) => {
        if (item.extension !== null) report(ctx, ["destinations", index, "extension"], "errors.extensionNeedsSip");
      });
    }
    if (value.target_agent_id === null && value.sip_connection_id !== null && value.destinations.length > 0 && value.destination_id)
      report(ctx, ["destination_id"], "errors.destinationsOrId");
    unique(ctx, value.destinations.map((item) => item.phone ?? item.extension ?? ""), (index) => ["destinations", index, value.destinations[index]?.phone === null ? "extension" : "phone"], "errors.duplicateDestination");
    unique(ctx, value.headers.map((item) => item.name.toLowerCase()), (index) => ["headers", index, "name"], "errors.duplicateHeader");
  });

export const workflowAction = z.object({
  type: z.literal("workflow"),
  ...named,
  workflow_id: identifier,
  pre_message: preMessage,
  timeout_seconds: range(limits.WORKFLOW_TIMEOUT_SECONDS),
});
export const hangUpAction = z.object({ type: z.literal("hang_up"), ...named, min_attempts: range(limits.HANG_UP_ATTEMPTS) });
export const ragAction = z.object({ type: z.literal("rag"), ...named, data_source_id: identifier, pre_message: preMessage });
export const keypadAction = z.object({ type: z.literal("keypad"), ...named });
export const waitAction = z.object({ type: z.literal("wait"), ...named, max_wait_seconds: range(limits.WAIT_SECONDS) });

export const action = oneOf([transferAction, workflowAction, hangUpAction, ragAction, keypadAction, waitAction]);

/** A SIP connection as a schema: bounds as the server's model has them. */
import { z } from "zod";
import { header, report, text, unique } from "@/agent/schemaParts";
import type { SipConnection } from "@/api/types";

export const PORT = { min: 1, max: 65_535, default: 5060 };
export const MAX_CALLS = { min: 1, max: 10_000, default: 10_000 };

const credential = text(1, 200);

export const sipConnection = z
  .object({
    name: text(1, 200),
    host: z.string().regex(/^[A-Za-z0-9_.:\-[\]]{1,253}$/, { error: "errors.host" }),
    port: z.number().min(PORT.min).max(PORT.max),
    transport: z.literal("udp"),
    username: credential.nullable(),
    password: credential.nullable(),
    inbound_username: credential.nullable(),
    inbound_password: credential.nullable(),
    register: z.boolean(),
    default_agent_id: z.string().nullable(),
    from_mode: z.enum(["agent", "caller"]),
    number_format: z.enum(["e164", "digits", "00", "national"]),
    caller_id: z.string().max(64).nullable(),
    headers: z.array(header).max(50),
    allowed_addresses: z.array(z.string()).max(500),
    codecs: z.array(z.enum(["PCMA", "PCMU", "G722"])).min(1).max(3),
    dtmf: z.enum(["auto", "rfc4733", "info", "inband"]),
    max_calls: z.number().min(MAX_CALLS.min).max(MAX_CALLS.max).nullable(),
  })
  .superRefine((value, ctx) => {
    if (value.register && !value.username) report(ctx, ["username"], "errors.registerNeeds");
    if (value.register && !value.password) report(ctx, ["password"], "errors.registerNeeds");
    if (value.inbound_username && !value.inbound_password) report(ctx, ["inbound_password"], "errors.inboundTogether");
    if (value.inbound_password && !value.inbound_username) report(ctx, ["inbound_username"], "errors.inboundTogether");
    unique(ctx, value.headers.map((item) => item.name.toLowerCase()), (index) => ["headers", index, "name"], "errors.duplicateHeader");
  });

export function blankConnection(): SipConnection {
  return {
    name: "",
    host: "",
    port: PORT.default,
    transport: "udp",
    username: null,
    password: null,
    inbound_username: null,
    inbound_password: null,
    register: false,
    default_agent_id: null,
    from_mode: "agent",
    number_format: "e164",
    caller_id: null,
    headers: [],
    allowed_addresses: [],
    codecs: ["PCMA", "PCMU", "G722"],
    dtmf: "auto",
    max_calls: null,
  };
}

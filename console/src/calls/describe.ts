/** An event of the timeline, in words. */
import type { TimelineEvent } from "@/api/types";
import type { Translate } from "@/i18n";
import { serverWords } from "@/i18n/serverWords";

export function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function text(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Values by name, as a person writes them down. */
function pairs(value: unknown): string {
  if (typeof value !== "object" || value === null) return text(value);
  return Object.entries(value)
    .map(([name, own]) => `${name} = ${text(own)}`)
    .join(", ");
}

/** Pieces that are there, joined. */
function joined(...parts: string[]): string {
  return parts.filter(Boolean).join(" · ");
}

/** Why a call ended, in the console's language; what a code does not cover is shown as the server wrote it. */
export function endReason(t: Translate, code: unknown, written: string): string {
  return typeof code === "string" && code ? t([`endCodes.${code}`, written]) : serverWords(t, written);
}

export function describe(event: TimelineEvent, t: Translate): { title: string; detail: string } {
  const { kind, payload, actor } = event;
  const word = (group: string, value: unknown) => (value === undefined || value === null || value === "" ? "" : t([`${group}.${text(value)}`, text(value)]));
  const title = t([`events.${kind}`, kind]);
  switch (kind) {
    case "answered":
      return { title, detail: joined(text(payload["codec"]), payload["setup_ms"] === undefined ? "" : `${text(payload["setup_ms"])} ms`) };
    case "pre_call":
      return { title, detail: joined(word("triggers", payload["outcome"]), text(payload["detail"])) };
    case "failover":
      return { title, detail: joined(word("failoverEvents", payload["event"]), word("triggers", payload["trigger"]), word("failover.kind", payload["action"]), word("outcomes", payload["outcome"]), text(payload["detail"])) };
    case "agent":
      return { title, detail: text(payload["agent"]) };
    case "step_entered":
      return { title, detail: joined(text(payload["name"] ?? payload["step"]), pairs(payload["values"])) };
    case "action_started":
    case "action_finished": {
      const given = payload["arguments"];
      const shown = typeof given === "object" && given !== null && Object.keys(given).length ? pairs(given) : "";
      return { title, detail: joined(text(payload["action"]), kind === "action_finished" ? word("outcomes", payload["outcome"]) : shown) };
    }
    case "dtmf":
      return { title: t(`events.dtmf_${actor === "agent" ? "sent" : "received"}`), detail: text(payload["digits"]) };
    case "leg":
      if (payload["event"] === "browser") return { title: t("legEvents.browser"), detail: text(payload["user"]) };
      return { title: t([`legEvents.${text(payload["event"])}`, text(payload["event"])]), detail: joined(t([`actors.${text(payload["leg"])}`, text(payload["leg"])]), text(payload["description"] ?? payload["phone"] ?? payload["user"]), text(payload["why"])) };
    case "provider":
      return { title, detail: joined(word("fields", payload["service"]), text(payload["provider"]), word("providerEvents", payload["event"]), text(payload["error"])) };
    case "latency":
      return { title, detail: `${text(payload["total_ms"])} ms` };
    case "never_silent":
      return { title, detail: word("rules", payload["rule"]) };
    case "variable_undefined":
      return { title, detail: joined(text(payload["name"]), text(payload["field"])) };
    case "recording":
      return { title, detail: word("recordingEvents", payload["event"]) };
    case "hang_up":
      return { title: t("events.hang_up", { who: t([`actors.${text(payload["who"])}`, text(payload["who"])]) }), detail: endReason(t, payload["code"], text(payload["why"])) };
    default:
      return { title, detail: "" };
  }
}

/** Trying the failover, and hearing its messages. */
import type { FailoverTab } from "@/agent/schema";
import { request, send } from "./client";
import type { FailoverDestination, FailoverTrigger, FailoverTried } from "./types";

export type SavedSpeech = "message" | "default_error_message" | "installation_error_message";

const at = (id: string) => `/agents/${encodeURIComponent(id)}/failover`;

/** `tab`: what is not saved yet; null tries what calls use. */
export const tryFailover = (id: string, trigger: FailoverTrigger, destination: FailoverDestination, tab: FailoverTab | null, signal?: AbortSignal) =>
  request<FailoverTried>("POST", `${at(id)}/try`, { body: { trigger, destination, ...tab }, signal });
export const triedAudio = async (id: string, audio: string) => (await send("GET", `${at(id)}/try/${audio}`)).blob();

export const savedSpeech = async (id: string, which: SavedSpeech) => (await send("GET", `${at(id)}/speech/${which}`)).blob();
export const speech = async (id: string, said: { text: string; language: string }) => (await send("POST", `${at(id)}/speech`, { body: { text: said.text, language: said.language } })).blob();

/** Talking to an agent from the browser: by voice, and in text. */
import { request } from "./client";
import type { BrowserCallStarted, ChatStarted, TalkWanted } from "./types";

export type TalkKind = "browser-calls" | "chats";

const at = (kind: TalkKind, id: string) => `/${kind}/${encodeURIComponent(id)}`;

/** With a complete offer: no candidate follows it. */
export const startBrowserCall = (wanted: TalkWanted, sdp: string) => request<BrowserCallStarted>("POST", "/browser-calls", { body: { ...wanted, sdp } });
export const startChat = (wanted: TalkWanted) => request<ChatStarted>("POST", "/chats", { body: wanted });
export const sayInChat = (id: string, text: string) => request<unknown>("POST", `${at("chats", id)}/messages`, { body: { text } });
export const pressDigits = (kind: TalkKind, id: string, digits: string) => request<unknown>("POST", `${at(kind, id)}/digits`, { body: { digits } });
/** Also while the page is being closed. */
export const endTalk = (kind: TalkKind, id: string) => request<undefined>("DELETE", at(kind, id), { keepalive: true });
export const eventsPath = (kind: TalkKind, id: string) => (kind === "chats" ? `${at(kind, id)}/events` : callEventsPath(id));
export const callEventsPath = (id: string) => `/calls/${encodeURIComponent(id)}/events`;

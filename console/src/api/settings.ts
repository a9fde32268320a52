/** Settings of the installation, and what its administrators look after: providers, keys, users, what was changed. */
import { all } from "./agents";
import { request } from "./client";
import type { AlertTest, ApiKey, ApiKeySecret, AuditEntry, Erased, InstallationSettings, Page, ProviderCheck, ProviderStatus, Role, Scope, SettingsResource, User } from "./types";

export const getSettings = () => request<SettingsResource>("GET", "/settings");
export const saveSettings = (document: InstallationSettings, revision: number) => request<SettingsResource>("PUT", "/settings", { body: document, revision });
export const testAlert = () => request<AlertTest>("POST", "/alerts/test");
export const eraseNumber = (number: string) => request<Erased>("POST", "/erasures", { body: { number } });

export const listProviders = async () => (await request<{ items: ProviderStatus[] }>("GET", "/providers")).items;
export const checkProvider = (id: string) => request<ProviderCheck>("POST", `/providers/${encodeURIComponent(id)}/check`);

const key = (id: string) => `/keys/${encodeURIComponent(id)}`;

export interface WantedKey {
  name: string;
  scopes: Scope[];
  expires_in_days: number | null;
}

export const listKeys = () => all<ApiKey>("/keys");
export const createKey = (wanted: WantedKey) => request<ApiKeySecret>("POST", "/keys", { body: wanted });
/** The secret before goes on working until it is retired. */
export const rotateKey = (id: string) => request<ApiKeySecret>("POST", `${key(id)}/rotate`);
export const retireKey = (id: string) => request<ApiKey>("DELETE", `${key(id)}/previous`);
export const revokeKey = (id: string) => request<ApiKey>("POST", `${key(id)}/revoke`);

const user = (id: string) => `/users/${encodeURIComponent(id)}`;

export const listUsers = () => all<User>("/users");
export const createUser = (wanted: { name: string; role: Role; password: string }) => request<User>("POST", "/users", { body: wanted });
export const changeUser = (id: string, change: { role?: Role; password?: string }) => request<User>("PATCH", user(id), { body: change });
export const deleteUser = (id: string) => request<undefined>("DELETE", user(id));

export interface AuditFilter {
  actor_id?: string;
  target_kind?: string;
}

export const listAudit = (filter: AuditFilter, cursor: string | undefined) => request<Page<AuditEntry>>("GET", "/audit", { query: { ...filter, cursor, limit: 50 } });

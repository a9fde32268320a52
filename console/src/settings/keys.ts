/** How a key stands. */
import type { ApiKey } from "@/api/types";
import type { LampState } from "@/ui/Lamp";

export type KeyState = "active" | "rotating" | "expired" | "revoked";

export const KEY_LAMPS: Record<KeyState, LampState> = { active: "lit", rotating: "changed", expired: "off", revoked: "off" };

export function stateOf(key: ApiKey, now: number): KeyState {
  if (key.revoked_at !== null) return "revoked";
  if (key.expires_at !== null && Date.parse(key.expires_at) <= now) return "expired";
  return key.rotating ? "rotating" : "active";
}

/** Those that open something first, each group with the newest first. */
export function inOrder(keys: readonly ApiKey[], now: number): ApiKey[] {
  const opens = (key: ApiKey) => ["active", "rotating"].includes(stateOf(key, now));
  return [...keys].sort((one, other) => Number(opens(other)) - Number(opens(one)) || other.created_at.localeCompare(one.created_at));
}

/** The settings while somebody edits them, and what becomes of that when they are stored anew meanwhile. Pure. */
import { same } from "@/agent/differences";
import type { InstallationSettings, SettingsResource } from "@/api/types";

export interface SettingsEditing {
  /** As they were stored when this began. */
  base: InstallationSettings;
  draft: InstallationSettings;
  revision: number;
}

export function begin({ document, revision }: SettingsResource): SettingsEditing {
  return { base: document, draft: document, revision };
}

export function isDirty({ base, draft }: SettingsEditing): boolean {
  return !same(base, draft);
}

/**
 * Newer settings have arrived. With nothing to lose they are taken. The failover switch is saved by itself and goes along with
 * what is being edited. Anything else stays as it is: the save is then refused as stale, and both are shown.
 */
export function follow(state: SettingsEditing, newer: SettingsResource): SettingsEditing {
  if (newer.revision <= state.revision) return state;
  if (!isDirty(state) || same(state.draft, newer.document)) return begin(newer);
  const switched = { ...state.base, failover_enabled: newer.document.failover_enabled };
  if (!same(switched, newer.document)) return state;
  return { base: newer.document, draft: { ...state.draft, failover_enabled: newer.document.failover_enabled }, revision: newer.revision };
}

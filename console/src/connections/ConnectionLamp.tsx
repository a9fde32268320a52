import { useTranslation } from "react-i18next";
import type { ConnectionState } from "@/api/types";
import { serverWords } from "@/i18n/serverWords";
import { Lamp, type LampState } from "@/ui/Lamp";

/** What the state says, as a light and a word. */
export function stateOf(state: ConnectionState | null): { lamp: LampState; key: string } {
  if (!state) return { lamp: "off", key: "unwatched" };
  if (state.registered === false) return { lamp: "alarm", key: "unregistered" };
  if (state.reachable === false) return { lamp: "alarm", key: "unreachable" };
  if (!state.up) return { lamp: "alarm", key: "down" };
  if (state.registered) return { lamp: "lit", key: "registered" };
  return state.reachable ? { lamp: "lit", key: "reachable" } : { lamp: "waiting", key: "asking" };
}

export function ConnectionLamp({ state }: { state: ConnectionState | null }) {
  const { t } = useTranslation();
  const { lamp, key } = stateOf(state);
  return (
    <span className="grid">
      <Lamp state={lamp} label={t(`connections.is.${key}`)} />
      {state?.last_error && <span className="text-sm text-ink-soft">{serverWords(t, state.last_error)}</span>}
    </span>
  );
}

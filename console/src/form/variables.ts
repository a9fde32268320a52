/** Names that a template of the document at hand can use. */
import { createContext, useContext } from "react";
import type { Path } from "@/agent/schema";

export interface Variables {
  system: readonly string[];
  values: readonly string[];
  steps: readonly string[];
}

export const SYSTEM_VARIABLES = [
  "system.phone",
  "system.phone_e164",
  "system.anonymous",
  "system.date",
  "system.time",
  "system.year",
  "system.day_of_week",
  "system.now",
  "system.language",
  "system.direction",
  "system.call_id",
  "system.agent_id",
  "sip.user_to_user",
] as const;

/** What the transitions of a path extract: by name, and by the step that extracted it. */
export function variablesOf(path: Path | null): Variables {
  const values = new Set<string>();
  const steps = new Set<string>();
  for (const step of path?.steps ?? [])
    if (step.type === "prompt")
      for (const { name } of step.transitions.flatMap((transition) => transition.extract))
        if (name) {
          values.add(name);
          steps.add(`path.${step.id}.${name}`);
        }
  return { system: SYSTEM_VARIABLES, values: [...values], steps: [...steps] };
}

export const VariablesContext = createContext<Variables>({ system: SYSTEM_VARIABLES, values: [], steps: [] });

export function useVariables(): Variables {
  return useContext(VariablesContext);
}

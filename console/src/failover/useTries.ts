import { useEffect, useRef, useState } from "react";
import { useAgentEditor } from "@/agents/editor";
import { tryFailover } from "@/api/failover";
import { Problem } from "@/api/problem";
import type { FailoverDestination, FailoverTrigger } from "@/api/types";
import { useShowError, useToasts } from "@/ui/useToasts";
import { useTranslation } from "react-i18next";
import type { Tries } from "./tries";

export interface Trying {
  tries: Tries;
  /** What is being tried now. */
  current: FailoverTrigger | null;
  /** How many of how many, while several are tried. */
  progress: { done: number; of: number } | null;
  /** Tries one after the other; the last one's trigger when that went well. */
  run: (triggers: readonly FailoverTrigger[], destination: FailoverDestination) => Promise<FailoverTrigger | null>;
  stop: () => void;
}

/** Tries what the form holds, saved or not, one trigger at a time. Leaving the page hangs up. */
export function useTries(): Trying {
  const { t } = useTranslation();
  const { id, failover } = useAgentEditor();
  const { show } = useToasts();
  const showError = useShowError();
  const [tries, setTries] = useState<Tries>({});
  const [current, setCurrent] = useState<FailoverTrigger | null>(null);
  const [progress, setProgress] = useState<Trying["progress"]>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  async function run(triggers: readonly FailoverTrigger[], destination: FailoverDestination): Promise<FailoverTrigger | null> {
    const { draft: tab, dirty, form } = failover;
    form.reveal();
    if (!form.valid) {
      show({ kind: "failed", text: t("editor.invalid", { count: form.problems.length }), detail: t("failover.try.invalid") });
      return null;
    }
    const own = new AbortController();
    running.current = own;
    try {
      for (const [done, trigger] of triggers.entries()) {
        setCurrent(trigger);
        setProgress(triggers.length > 1 ? { done, of: triggers.length } : null);
        const tried = await tryFailover(id, trigger, destination, dirty ? tab : null, own.signal);
        if (own.signal.aborted) return null;
        setTries((all) => ({ ...all, [trigger]: { tab, destination, tried } }));
      }
      return triggers.at(-1) ?? null;
    } catch (error) {
      if (own.signal.aborted) return null;
      if (error instanceof Problem && error.body.errors) form.refused(error.body.errors);
      showError(error);
      return null;
    } finally {
      setCurrent(null);
      setProgress(null);
    }
  }

  return { tries, current, progress, run, stop: () => running.current?.abort() };
}

import { createContext, useCallback, useContext } from "react";
import { useTranslation } from "react-i18next";
import { Problem, Unreachable } from "@/api/problem";
import { serverWords } from "@/i18n/serverWords";

export interface Toast {
  kind: "done" | "failed";
  text: string;
  detail?: string;
}

export const ToastContext = createContext<{ show: (toast: Toast) => void }>({ show: () => {} });

export function useToasts() {
  return useContext(ToastContext);
}

/** Shows what went wrong, in the server's words and with what to do about it. */
export function useShowError(): (error: unknown) => void {
  const { show } = useToasts();
  const { t } = useTranslation();
  return useCallback(
    (error: unknown) => {
      if (error instanceof Problem) show({ kind: "failed", text: serverWords(t, error.body.detail), detail: error.body.hint && serverWords(t, error.body.hint) });
      else if (error instanceof Unreachable) show({ kind: "failed", text: t("errors.unreachableServer"), detail: t("errors.unreachableHint") });
      else show({ kind: "failed", text: t("errors.unexpected"), detail: error instanceof Error ? error.message : undefined });
    },
    [show, t],
  );
}

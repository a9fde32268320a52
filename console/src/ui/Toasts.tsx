import { useCallback, useMemo, useRef, useState, type ReactNode } from "react";
import { CircleAlert, CircleCheck, X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { IconButton } from "./Button";
import { ToastContext, type Toast } from "./useToasts";
import { classes } from "./classes";

const SHOWN_MS = 6000;

/** Short notices at the foot of the page. Bad news stays until it is dismissed. */
export function Toasts({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const [toasts, setToasts] = useState<(Toast & { id: number })[]>([]);
  const next = useRef(0);
  const dismiss = useCallback((id: number) => setToasts((all) => all.filter((toast) => toast.id !== id)), []);
  const show = useCallback(
    (toast: Toast) => {
      const id = next.current++;
      setToasts((all) => [...all.filter((other) => other.text !== toast.text).slice(-2), { ...toast, id }]);
      if (toast.kind === "done") setTimeout(() => dismiss(id), SHOWN_MS);
    },
    [dismiss],
  );
  const value = useMemo(() => ({ show }), [show]);
  return (
    <ToastContext value={value}>
      {children}
      <div aria-live="polite" className="pointer-events-none fixed inset-x-3 bottom-4 z-60 mx-auto grid max-w-md gap-2">
        {toasts.map((toast) => (
          <div
            key={toast.id}
            role={toast.kind === "failed" ? "alert" : "status"}
            className={classes(
              "pointer-events-auto flex items-start gap-3 rounded-card py-2.5 pr-1.5 pl-4 shadow-float motion-safe:animate-[rise_180ms_ease-out]",
              toast.kind === "failed" ? "bg-alarm-wash text-ink ring-1 ring-alarm" : "bg-pine text-white",
            )}
          >
            {toast.kind === "failed" ? <CircleAlert aria-hidden className="mt-1.5 size-5 shrink-0 text-alarm" /> : <CircleCheck aria-hidden className="mt-1.5 size-5 shrink-0 text-[#7fd1b0]" />}
            <div className="grid flex-1 gap-0.5 py-1">
              <p className="font-semibold">{toast.text}</p>
              {toast.detail && <p className="text-sm opacity-90">{toast.detail}</p>}
            </div>
            <IconButton icon={X} label={t("ui.dismiss")} onClick={() => dismiss(toast.id)} className={toast.kind === "failed" ? "" : "text-white hover:bg-pine-soft hover:text-white"} />
          </div>
        ))}
      </div>
    </ToastContext>
  );
}

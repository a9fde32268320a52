import type { ButtonHTMLAttributes, ReactNode } from "react";
import type { LucideIcon } from "lucide-react";
import { LoaderCircle } from "lucide-react";
import { classes } from "./classes";

type Look = "primary" | "plain" | "quiet" | "danger";

const LOOKS: Record<Look, string> = {
  primary: "bg-brand text-white hover:bg-brand-strong disabled:bg-sunken disabled:text-ink-soft",
  plain: "bg-raised text-ink border border-line-strong hover:border-brand hover:bg-brand-wash disabled:text-ink-faint disabled:hover:bg-raised",
  quiet: "text-brand-strong hover:bg-brand-wash disabled:text-ink-faint disabled:hover:bg-transparent",
  danger: "bg-alarm text-white hover:bg-[#8a251e] disabled:bg-sunken disabled:text-ink-soft",
};

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  icon?: LucideIcon;
  busy?: boolean;
  small?: boolean;
  children: ReactNode;
}

export function Button({ look = "plain", icon: Icon, busy = false, small = false, children, className, disabled, ...rest }: ButtonProps) {
  const Shown = busy ? LoaderCircle : Icon;
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={classes(
        "inline-flex items-center justify-center gap-2 rounded-control font-semibold whitespace-nowrap transition-colors",
        small ? "min-h-8 px-2.5 py-1 text-sm" : "min-h-10 px-4 py-2",
        LOOKS[look],
        className,
      )}
    >
      {Shown && <Shown aria-hidden className={classes("size-4 shrink-0", busy && "animate-spin")} />}
      {children}
    </button>
  );
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon: LucideIcon;
  label: string;
}

/** A button that is only a picture; its name is said and shown on hover. */
export function IconButton({ icon: Icon, label, className, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={classes(
        "inline-grid size-9 shrink-0 place-items-center rounded-control text-ink-soft transition-colors hover:bg-brand-wash hover:text-brand-strong disabled:text-line-strong disabled:hover:bg-transparent",
        className,
      )}
    >
      <Icon aria-hidden className="size-[1.1rem]" />
    </button>
  );
}

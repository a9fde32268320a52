import type { ReactNode } from "react";
import type { LucideIcon } from "lucide-react";
import { classes } from "./classes";

/** A titled block of a page. */
export function Section({ title, hint, aside, children, className }: { title: string; hint?: ReactNode; aside?: ReactNode; children: ReactNode; className?: string }) {
  return (
    <section className={classes("card p-5 sm:p-6", className)}>
      <header className="mb-4 flex flex-wrap items-start justify-between gap-3">
        <div className="grid max-w-2xl gap-0.5">
          <h2 className="text-lg font-bold">{title}</h2>
          {hint && <p className="text-sm text-ink-soft">{hint}</p>}
        </div>
        {aside}
      </header>
      <div className="grid gap-5">{children}</div>
    </section>
  );
}

export function PageHeader({ title, hint, actions, above }: { title: string; hint?: ReactNode; actions?: ReactNode; above?: ReactNode }) {
  return (
    <header className="mb-6 grid gap-1">
      {above}
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
        <div className="grid min-w-0 gap-0.5">
          <h1 className="text-2xl font-bold break-words">{title}</h1>
          {hint && <p className="max-w-2xl text-ink-soft">{hint}</p>}
        </div>
        {actions && <div className="flex flex-wrap gap-3">{actions}</div>}
      </div>
    </header>
  );
}

/** A place that holds nothing yet, and what to do about it. */
export function EmptyState({ icon: Icon, title, hint, children }: { icon: LucideIcon; title: string; hint: string; children?: ReactNode }) {
  return (
    <div className="grid justify-items-center gap-3 rounded-card border border-dashed border-line-strong bg-surface px-6 py-10 text-center">
      <span className="grid size-12 place-items-center rounded-full bg-brand-wash text-brand-strong">
        <Icon aria-hidden className="size-6" />
      </span>
      <p className="text-lg font-bold">{title}</p>
      <p className="max-w-md text-ink-soft">{hint}</p>
      {children && <div className="mt-1 flex flex-wrap justify-center gap-3">{children}</div>}
    </div>
  );
}

const TONES = {
  calm: "border-line bg-surface",
  info: "border-sky/30 bg-sky-wash",
  warn: "border-[#e0b04c] bg-amber-wash",
  alarm: "border-alarm/40 bg-alarm-wash",
} as const;

export function Notice({ tone = "info", icon: Icon, title, children, actions }: { tone?: keyof typeof TONES; icon?: LucideIcon; title?: string; children?: ReactNode; actions?: ReactNode }) {
  return (
    <div className={classes("flex flex-wrap items-start gap-x-4 gap-y-2 rounded-card border px-4 py-3", TONES[tone])}>
      {Icon && <Icon aria-hidden className="mt-0.5 size-5 shrink-0" />}
      <div className="grid min-w-48 flex-1 gap-0.5">
        {title && <p className="font-semibold">{title}</p>}
        {children && <div className="text-sm">{children}</div>}
      </div>
      {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
    </div>
  );
}

export function Skeleton({ rows = 4 }: { rows?: number }) {
  return (
    <div className="grid gap-3" aria-hidden>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className="h-14 rounded-card bg-sunken motion-safe:animate-pulse" />
      ))}
    </div>
  );
}

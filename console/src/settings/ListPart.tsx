import type { ReactNode } from "react";

/** A part that is a list: its title and what can be added, above a table that is a card of its own. */
export function ListPart({ title, hint, aside, children }: { title: string; hint: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className="grid gap-4">
      <header className="flex flex-wrap items-start justify-between gap-3">
        <div className="grid max-w-2xl gap-0.5">
          <h2 className="text-lg font-bold">{title}</h2>
          <p className="text-sm text-ink-soft">{hint}</p>
        </div>
        {aside}
      </header>
      {children}
    </section>
  );
}

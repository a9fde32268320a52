import { ArrowLeft } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "react-router";

interface StickyBarProps {
  /** The list that the page belongs to. */
  back: { to: string; label: string };
  title: string;
  /** How it stands. */
  lamps: ReactNode;
  /** What can be done with the whole of it. */
  children?: ReactNode;
}

/** The head of an editor. Stays in sight. */
export function StickyBar({ back, title, lamps, children }: StickyBarProps) {
  return (
    <header className="sticky top-[3.75rem] z-20 -mx-4 mb-2 bg-ground/95 px-4 pt-1 pb-3 backdrop-blur-sm sm:-mx-8 sm:px-8 lg:top-0 lg:pt-3">
      <Link to={back.to} className="inline-flex items-center gap-1.5 text-sm font-semibold text-brand-strong hover:underline">
        <ArrowLeft aria-hidden className="size-4" />
        {back.label}
      </Link>
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
        <div className="min-w-0">
          <h1 className="truncate text-2xl font-bold">{title}</h1>
          <div className="flex flex-wrap gap-x-4 text-ink-soft">{lamps}</div>
        </div>
        {children}
      </div>
    </header>
  );
}

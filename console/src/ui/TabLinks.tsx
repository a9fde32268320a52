import { NavLink } from "react-router";
import { classes } from "./classes";

export interface TabLink {
  to: string;
  label: string;
  /** Values that are wrong behind it. */
  problems?: number;
  problemsLabel?: string;
}

/** Parts of one thing, each with an address of its own. */
export function TabLinks({ label, tabs }: { label: string; tabs: readonly TabLink[] }) {
  return (
    <nav aria-label={label} className="-mx-4 mb-6 overflow-x-auto border-b border-line px-4 sm:mx-0 sm:px-0">
      <ul className="flex min-w-max gap-1">
        {tabs.map((tab) => (
          <li key={tab.to}>
            <NavLink
              to={tab.to}
              className={({ isActive }) =>
                classes(
                  "-mb-px inline-flex min-h-11 items-center gap-2 border-b-[3px] px-3 font-semibold whitespace-nowrap",
                  isActive ? "border-brand text-ink" : "border-transparent text-ink-soft hover:border-line-strong hover:text-ink",
                )
              }
            >
              {tab.label}
              {tab.problems ? (
                <span className="numbers rounded-full bg-alarm px-1.5 text-xs font-bold text-white" aria-label={tab.problemsLabel}>
                  {tab.problems}
                </span>
              ) : null}
            </NavLink>
          </li>
        ))}
      </ul>
    </nav>
  );
}

import { pretty } from "./json";

/** A value as text; its own part scrolls, never the page. */
export function Json({ value, label }: { value: unknown; label: string }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached with the keyboard
    <pre tabIndex={0} role="region" aria-label={label} className="max-h-80 overflow-auto rounded-control bg-sunken/60 p-3 font-mono text-xs whitespace-pre-wrap [overflow-wrap:anywhere]">
      {pretty(value)}
    </pre>
  );
}

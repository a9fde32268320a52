/** How far something is, in percent. */
export function ProgressBar({ label, percent }: { label: string; percent: number }) {
  return (
    <span role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent} className="block h-1.5 overflow-hidden rounded-full bg-sunken">
      <span className="block h-full rounded-full bg-brand transition-[width] duration-300" style={{ width: `${Math.max(2, percent)}%` }} />
    </span>
  );
}

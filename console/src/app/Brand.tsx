/** The mark: a voice as the level of a line, and its name. */
export function Brand() {
  const name = "Parlons";
  return (
    <span className="flex items-center gap-2.5">
      <svg viewBox="0 0 24 24" aria-hidden className="size-8" fill="none" strokeLinecap="round" strokeWidth="2.4">
        <path d="M3.5 10v4" stroke="#f2b84b" />
        <path d="M8 6.5v11M12.2 9v6" stroke="#e4f0ec" />
        <path d="M16.4 4.5v15" stroke="#e4f0ec" />
        <path d="M20.6 10.5v3" stroke="#7fc6ae" />
      </svg>
      <span className="text-lg font-bold tracking-tight">{name}</span>
    </span>
  );
}

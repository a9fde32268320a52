import { classes } from "./classes";

export type LampState = "lit" | "waiting" | "off" | "alarm" | "changed";

const LOOKS: Record<LampState, string> = {
  lit: "bg-[#2f9a64] border-live",
  changed: "bg-lamp border-amber-ink",
  waiting: "bg-transparent border-line-strong border-dashed",
  off: "bg-line-strong border-line-strong",
  alarm: "bg-alarm border-alarm",
};

/** The small light of a switchboard line: its colour says how it stands, the words beside it say the same. */
export function Lamp({ state, label, live }: { state: LampState; label: string; live?: boolean }) {
  return (
    <span className="inline-flex items-center gap-2 text-sm whitespace-nowrap">
      <span aria-hidden className={classes("size-2.5 shrink-0 rounded-full border-[1.5px]", LOOKS[state], live && "motion-safe:animate-[lamp-breathe_2s_infinite]")} />
      {label}
    </span>
  );
}

/** The ASCII form of a name that the language model sees as a tool; the same as the server's. */
export function slug(text: string): string {
  const folded = text.normalize("NFKD").replace(/[^ -~]/gu, "").toLowerCase();
  return folded.replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "").slice(0, 64) || "action";
}

/** An id for a step: as a slug with dashes, and not among those taken. */
export function freeId(text: string, taken: readonly string[]): string {
  const base = slug(text).replaceAll("_", "-");
  let candidate = base;
  for (let count = 2; taken.includes(candidate); count += 1) candidate = `${base}-${count}`;
  return candidate;
}

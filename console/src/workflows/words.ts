/** Small wordings. Pure. */

/** Milliseconds as a person reads them: 38 ms, 1.2 s. */
export function milliseconds(number: (value: number) => string, ms: number): string {
  return ms < 1000 ? `${number(ms)}\u00a0ms` : `${number(Math.round(ms / 100) / 10)}\u00a0s`;
}

/** Words that stand alone, with a capital. */
export function sentence(words: string): string {
  return words.charAt(0).toLocaleUpperCase() + words.slice(1);
}

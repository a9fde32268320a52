import { useCallback, useState } from "react";

/** What is wrong in a small form, by field; a field that is changed is given another chance. */
export function useWrong() {
  const [wrong, setWrong] = useState<Readonly<Record<string, string>>>({});
  /** Stores a field's new value, and forgets what was wrong with the old one. */
  const change = useCallback(
    <T>(store: (value: T) => void, place: string) =>
      (value: T) => {
        store(value);
        setWrong((all) => Object.fromEntries(Object.entries(all).filter(([other]) => other !== place)));
      },
    [],
  );
  return { wrong, setWrong, change };
}

import { useEffect } from "react";

/** Ctrl+S saves, in place of the browser's own. */
export function useSaveKey(save: () => unknown, possible: boolean): void {
  useEffect(() => {
    function onKey(event: KeyboardEvent) {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s") return;
      event.preventDefault();
      if (possible) save();
    }
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });
}

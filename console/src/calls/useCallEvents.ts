import { useEffect, useReducer } from "react";
import { feed, NOTHING_YET, type Feed } from "./feed";
import { follow } from "./follow";

/** What happens at an address of events, as it happens. Null follows nothing, and keeps what was told. */
export function useCallEvents(path: string | null): Feed {
  const [state, tell] = useReducer(feed, NOTHING_YET);
  useEffect(() => {
    if (path === null) return;
    const leaving = new AbortController();
    void follow(path, tell, leaving.signal);
    return () => leaving.abort();
  }, [path]);
  return state;
}

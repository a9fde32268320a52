import { useEffect, useState } from "react";
import { lookAtMicrophone, missing, type MicrophoneState } from "./microphone";

/** How the microphone stands, as far as the browser tells without asking the person. */
export function useMicrophone(): MicrophoneState {
  const [state, setState] = useState<MicrophoneState>(() => missing() ?? "asks");
  useEffect(() => {
    const leaving = new AbortController();
    void lookAtMicrophone(setState, leaving.signal).then((found) => !leaving.signal.aborted && setState(found));
    return () => leaving.abort();
  }, []);
  return state;
}

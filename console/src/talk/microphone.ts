/** The microphone: whether the page may use one, and why not. */

/** `insecure`: browsers give it only to pages from https, or from the machine itself. */
export type MicrophoneTrouble = "insecure" | "unsupported" | "refused" | "none" | "busy";
export type MicrophoneState = "granted" | "asks" | MicrophoneTrouble;

export class NoMicrophone extends Error {
  readonly why: MicrophoneTrouble;

  constructor(why: MicrophoneTrouble) {
    super(why);
    this.name = "NoMicrophone";
    this.why = why;
  }
}

const NAMES: Record<string, MicrophoneTrouble> = { NotAllowedError: "refused", SecurityError: "refused", NotFoundError: "none", OverconstrainedError: "none", NotReadableError: "busy", AbortError: "busy" };

/** What no permission can change. */
export function missing(): MicrophoneTrouble | null {
  if (!window.isSecureContext) return "insecure";
  const media = (navigator as { mediaDevices?: Partial<MediaDevices> }).mediaDevices;
  return media?.getUserMedia && "RTCPeerConnection" in window ? null : "unsupported";
}

/** Without asking the person anything. Calls `changed` when they decide otherwise in the browser's own settings. */
export async function lookAtMicrophone(changed: (state: MicrophoneState) => void, signal: AbortSignal): Promise<MicrophoneState> {
  const why = missing();
  if (why) return why;
  try {
    const permission = await navigator.permissions.query({ name: "microphone" });
    const state = (): MicrophoneState => (permission.state === "denied" ? "refused" : permission.state === "granted" ? "granted" : "asks");
    permission.addEventListener("change", () => changed(state()), { signal });
    return state();
  } catch {
    return "asks"; // not every browser tells
  }
}

/** One channel, as a telephone wants it. Raises NoMicrophone. */
export async function openMicrophone(): Promise<MediaStream> {
  const why = missing();
  if (why) throw new NoMicrophone(why);
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
  } catch (error) {
    throw new NoMicrophone((error instanceof DOMException && NAMES[error.name]) || "none");
  }
}

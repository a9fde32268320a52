/** The browser's end of a call: microphone out, agent in. */

/** Candidates are sent with the offer, none after it. With no server to ask, they are all there within milliseconds. */
export const GATHERING_MS = 2000;

export interface Line {
  readonly microphone: MediaStream;
  /** What the agent says; its track comes with the answer. */
  readonly heard: MediaStream;
  readonly peer: RTCPeerConnection;
  /** Complete, to be sent. */
  readonly offer: string;
}

export async function offerLine(microphone: MediaStream): Promise<Line> {
  const peer = new RTCPeerConnection({ iceServers: [] });
  try {
    const heard = new MediaStream();
    peer.addEventListener("track", ({ track }) => heard.addTrack(track));
    for (const track of microphone.getAudioTracks()) peer.addTrack(track, microphone);
    await peer.setLocalDescription(await peer.createOffer());
    await gathered(peer);
    return { microphone, heard, peer, offer: peer.localDescription?.sdp ?? "" };
  } catch (error) {
    peer.close();
    throw error;
  }
}

export function closeLine({ peer, microphone }: Pick<Line, "peer" | "microphone">): void {
  peer.close();
  for (const track of microphone.getTracks()) track.stop();
}

/** Waits for the last candidate, but not for ever: what is there is enough to try. */
export function gathered(peer: Pick<RTCPeerConnection, "iceGatheringState" | "addEventListener" | "removeEventListener">): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, GATHERING_MS);
    const look = () => peer.iceGatheringState === "complete" && done();
    function done() {
      clearTimeout(timer);
      peer.removeEventListener("icegatheringstatechange", look);
      resolve();
    }
    peer.addEventListener("icegatheringstatechange", look);
    look();
  });
}

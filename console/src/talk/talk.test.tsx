/** The panel without a server: what goes wrong is said, and nothing stays open behind it. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import i18n from "@/i18n";
import { json, problem, serve, type Answer } from "@/test/serve";
import { Toasts } from "@/ui/Toasts";
import { gathered, GATHERING_MS } from "./line";
import { loudness } from "./LevelMeter";
import { TalkDrawer } from "./TalkDrawer";

vi.setConfig({ testTimeout: 20_000 }); // looking for roles among 240 countries takes its time on a busy machine

let server: ReturnType<typeof serve>;
const events = { happens: (...told: Parameters<typeof server.events.happens>) => server.events.happens(...told), tell: (...told: Parameters<typeof server.events.tell>) => server.events.tell(...told) };
const did = (method: string, path: string) => server.did(method, path);

class Track {
  enabled = true;
  stopped = false;
  stop = () => void (this.stopped = true);
}

class Peer extends EventTarget {
  static last: Peer;
  iceGatheringState = "complete";
  connectionState = "new";
  localDescription = { sdp: "v=0 offer" };
  answer = "";
  closed = false;
  constructor() {
    super();
    Peer.last = this;
  }
  addTrack() {}
  createOffer = () => Promise.resolve({});
  setLocalDescription = () => Promise.resolve();
  setRemoteDescription = ({ sdp }: { sdp: string }) => Promise.resolve(void (this.answer = sdp));
  close = () => void (this.closed = true);
  becomes(state: string) {
    this.connectionState = state;
    this.dispatchEvent(new Event("connectionstatechange"));
  }
}

class Stream {
  constructor(readonly tracks: Track[] = []) {}
  getTracks = () => this.tracks;
  getAudioTracks = () => this.tracks;
  addTrack() {}
}

class Quiet {
  createMediaStreamSource = () => ({ connect() {}, disconnect() {} });
  getFloatTimeDomainData() {}
  close = () => Promise.resolve();
}

/** A browser that can call; `open` is what asking for the microphone comes to. */
function browser(open: () => Promise<Stream>, secure = true): void {
  vi.stubGlobal("isSecureContext", secure);
  vi.stubGlobal("RTCPeerConnection", Peer);
  vi.stubGlobal("MediaStream", Stream);
  vi.stubGlobal("AudioContext", Quiet);
  vi.stubGlobal("AnalyserNode", Quiet);
  Object.defineProperty(navigator, "mediaDevices", { configurable: true, value: secure ? { getUserMedia: open } : undefined });
  vi.spyOn(HTMLMediaElement.prototype, "play").mockResolvedValue();
}

beforeEach(async () => {
  server = serve({});
  await i18n.changeLanguage("fr");
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  Reflect.deleteProperty(navigator, "mediaDevices");
});

function panel(more: Partial<Parameters<typeof TalkDrawer>[0]> = {}) {
  const onClose = vi.fn();
  const page = render(
    <QueryClientProvider client={new QueryClient()}>
      <Toasts>
        <MemoryRouter>
          <TalkDrawer agent={{ id: "cabinet", name: "Cabinet", liveVersion: 3 }} draft country="FR" onClose={onClose} {...more} />
        </MemoryRouter>
      </Toasts>
    </QueryClientProvider>,
  );
  return { ...page, onClose, user: userEvent.setup() };
}

const call = () => screen.getByRole("button", { name: "Appeler" });

describe("a call", () => {
  test("without HTTPS: the page says so and offers to write", async () => {
    browser(() => Promise.reject(new Error("never asked")), false);
    const { user } = panel();
    expect(screen.getByRole("radio", { name: "Par écrit" })).toBeChecked();
    await user.click(screen.getByRole("radio", { name: "À l’oral" }));
    expect(screen.getByText("Le micro demande une page en HTTPS")).toBeInTheDocument();
    expect(call()).toBeDisabled();
    await user.click(screen.getByRole("button", { name: "Parler par écrit" }));
    expect(screen.getByRole("button", { name: "Commencer à écrire" })).toBeEnabled();
  });

  test.each([
    ["NotAllowedError", "Le micro est refusé à cette page"],
    ["NotFoundError", "Aucun micro trouvé"],
    ["NotReadableError", "Le micro est pris par une autre application"],
  ])("%s: what to do is said, and the server is not asked", async (name, sentence) => {
    browser(() => Promise.reject(new DOMException("", name)));
    server = serve({});
    const { user } = panel();
    await user.click(call());
    expect(await screen.findByText(sentence)).toBeInTheDocument();
    expect(server.asked).toEqual([]);
  });

  test("the server refuses: every field with its reason, and the microphone is let go", async () => {
    const track = new Track();
    browser(() => Promise.resolve(new Stream([track])));
    server = serve({ "POST /browser-calls": () => problem(422, "the draft cannot take calls", { errors: [{ path: "actions[0].name", message: "is required" }] }) });
    const { user } = panel();
    await user.click(call());
    expect(await screen.findByText("actions[0].name")).toBeInTheDocument();
    expect(track.stopped).toBe(true);
    expect(Peer.last.closed).toBe(true);
  });

  test("a number that cannot be: said at its field", async () => {
    browser(() => Promise.resolve(new Stream([new Track()])));
    server = serve({ "POST /browser-calls": () => problem(422, "the request", { errors: [{ path: "caller", message: "ce numéro n’existe pas" }] }) });
    const { user } = panel();
    await user.type(screen.getByLabelText(/Numéro à simuler/), "0612345678");
    await user.click(call());
    expect(await screen.findByText("ce numéro n’existe pas")).toBeInTheDocument();
    expect(did("POST", "/browser-calls")[0]?.body).toEqual({ agent_id: "cabinet", draft: true, caller: "+33612345678", sdp: "v=0 offer" });
    expect(screen.getByLabelText(/Numéro à simuler/)).toBeInvalid();
  });

  test("the server is away: said, and the microphone is let go", async () => {
    const track = new Track();
    browser(() => Promise.resolve(new Stream([track])));
    server = serve({});
    const { user } = panel();
    await user.click(call());
    expect(await screen.findByText("Le serveur ne répond pas")).toBeInTheDocument();
    expect(track.stopped).toBe(true);
  });

  test("closed while it is being set up: the call that comes of it is ended", async () => {
    const track = new Track();
    browser(() => Promise.resolve(new Stream([track])));
    let answer: (response: Response) => void = () => undefined;
    server = serve({ "POST /browser-calls": () => new Promise((resolve) => (answer = resolve)) });
    const { user, unmount } = panel();
    await user.click(call());
    await waitFor(() => expect(did("POST", "/browser-calls")).toHaveLength(1));
    unmount();
    answer(json(201, { id: "late", sdp: "v=0 answer" }));
    await waitFor(() => expect(did("DELETE", "/browser-calls/late")).toHaveLength(1));
    expect(track.stopped).toBe(true);
  });

  test("goes through: words, actions, mute, keys, and the agent's goodbye", async () => {
    const track = new Track();
    browser(() => Promise.resolve(new Stream([track])));
    server = serve({ "POST /browser-calls": () => json(201, { id: "one", sdp: "v=0 answer" }), "POST /browser-calls/one/digits": () => new Response(null, { status: 204 }) });
    const { user } = panel();
    await user.click(call());
    expect(await screen.findByText("Ça sonne…")).toBeInTheDocument();
    expect(Peer.last.answer).toBe("v=0 answer");
    act(() => {
      events.happens("agent", "answered", { codec: "G722", setup_ms: 40 });
      events.happens("agent", "transcript", { text: "Bonjour !" });
      events.happens("agent", "action_finished", { action: "Horaires", type: "workflow", outcome: "ok" });
      events.happens("agent", "latency", { total_ms: 870 });
    });
    expect(await screen.findByText("Bonjour !")).toBeInTheDocument();
    expect(screen.getByText("En ligne")).toBeInTheDocument();
    expect(screen.getByText(/Horaires · Réussi/)).toBeInTheDocument();
    expect(screen.getByText(/870 ms/)).toBeInTheDocument();

    await user.click(screen.getByRole("button", { name: "Couper le micro" }));
    expect(track.enabled).toBe(false);
    await user.click(screen.getByRole("button", { name: "Clavier" }));
    for (const key of ["4", "2", "#"]) await user.click(screen.getByRole("button", { name: key }));
    await waitFor(() => expect(did("POST", "/browser-calls/one/digits").map(({ body }) => body["digits"])).toEqual(["4", "2", "#"]));

    act(() => {
      events.happens("agent", "hang_up", { who: "agent", why: "hang_up", code: "agent_hung_up" });
      events.tell("end", { id: "one", ended_by: "agent", end_reason: "hang_up" });
    });
    expect(await screen.findByText("L’agent a raccroché.")).toBeInTheDocument();
    expect(track.stopped).toBe(true);
    expect(did("DELETE", "/browser-calls/one")).toEqual([]);
    expect(screen.getByRole("link", { name: "Voir l’appel" })).toHaveAttribute("href", "/calls/one");
    await user.click(screen.getByRole("button", { name: "Recommencer" }));
    expect(call()).toBeEnabled();
  });

  test("hanging up, and closing the panel, tell the server", async () => {
    browser(() => Promise.resolve(new Stream([new Track()])));
    server = serve({ "POST /browser-calls": () => json(201, { id: "one", sdp: "" }) });
    const { user, unmount } = panel();
    await user.click(call());
    await user.click(await screen.findByRole("button", { name: "Raccrocher" }));
    expect(did("DELETE", "/browser-calls/one")).toHaveLength(1);
    expect(Peer.last.closed).toBe(true);
    unmount();
    expect(did("DELETE", "/browser-calls/one")).toHaveLength(1);
  });

  test("the way of the sound breaks: shaky is said, lost ends it", async () => {
    const track = new Track();
    browser(() => Promise.resolve(new Stream([track])));
    server = serve({ "POST /browser-calls": () => json(201, { id: "one", sdp: "" }) });
    const { user } = panel();
    await user.click(call());
    await screen.findByText("Ça sonne…");
    act(() => Peer.last.becomes("disconnected"));
    expect(screen.getByText("Le son est coupé")).toBeInTheDocument();
    act(() => Peer.last.becomes("connected"));
    expect(screen.queryByText("Le son est coupé")).not.toBeInTheDocument();
    act(() => Peer.last.becomes("failed"));
    expect(await screen.findByText("La liaison a été perdue")).toBeInTheDocument();
    expect(track.stopped).toBe(true);
    expect(did("DELETE", "/browser-calls/one")).toHaveLength(1);
  });
});

describe("a chat", () => {
  async function chatting(answers: Record<string, Answer> = {}) {
    browser(() => Promise.reject(new Error("never asked")));
    server = serve({ "POST /chats": () => json(201, { id: "c1" }), ...answers });
    const page = panel();
    await page.user.click(screen.getByRole("radio", { name: "Par écrit" }));
    await page.user.click(screen.getByRole("radio", { name: "La version 3 en ligne" }));
    await page.user.click(screen.getByRole("button", { name: "Commencer à écrire" }));
    return { ...page, box: await screen.findByLabelText("Votre message") };
  }

  test("Enter sends, an empty line does not", async () => {
    const { user, box } = await chatting({ "POST /chats/c1/messages": () => json(202, {}) });
    await user.type(box, "   {Enter}");
    await user.type(box, "Bonjour{Enter}");
    await waitFor(() => expect(box).toHaveValue(""));
    expect(did("POST", "/chats/c1/messages").map(({ body }) => body)).toEqual([{ text: "Bonjour" }]);
    expect(did("POST", "/chats")[0]?.body).toEqual({ agent_id: "cabinet", draft: false, caller: "" });
  });

  test("why it is over is said", async () => {
    await chatting();
    act(() => {
      events.happens("system", "hang_up", { who: "system", why: "idle", code: "idle" });
      events.tell("end", { reason: "idle" });
    });
    expect(await screen.findByText("Personne n’a écrit pendant un quart d’heure.")).toBeInTheDocument();
    expect(screen.queryByLabelText("Votre message")).not.toBeInTheDocument();
    expect(screen.queryByRole("link", { name: "Voir l’appel" })).not.toBeInTheDocument();
  });

  test("what could not be sent stays in the box", async () => {
    const { user, box } = await chatting();
    await user.type(box, "Bonjour{Enter}");
    expect(await screen.findByText("Le serveur ne répond pas")).toBeInTheDocument();
    expect(box).toHaveValue("Bonjour");
  });

  test("closing the panel ends it, Escape does not", async () => {
    const { user, box, onClose, unmount } = await chatting();
    await user.type(box, "{Escape}");
    expect(onClose).not.toHaveBeenCalled();
    await user.click(screen.getByRole("button", { name: "Raccrocher et fermer" }));
    expect(onClose).toHaveBeenCalledOnce();
    unmount();
    expect(did("DELETE", "/chats/c1")).toHaveLength(1);
  });
});

test("the draft that is talked to is the stored one: the page says so and offers to save", async () => {
  browser(() => Promise.reject(new Error("never asked")));
  const save = vi.fn(() => Promise.resolve(true));
  const { user } = panel({ unsaved: { dirty: true, save, saving: false } });
  await user.click(screen.getByRole("button", { name: "Enregistrer d’abord" }));
  expect(save).toHaveBeenCalledOnce();
  await user.click(screen.getByRole("radio", { name: "La version 3 en ligne" }));
  expect(screen.queryByText("Modifications non enregistrées")).not.toBeInTheDocument();
});

test("an agent that was never published has only its draft", () => {
  browser(() => Promise.reject(new Error("never asked")));
  panel({ agent: { id: "new", name: "Nouveau", liveVersion: null }, draft: false });
  expect(screen.getByRole("radio", { name: "Le brouillon" })).toBeChecked();
  expect(screen.queryByRole("radio", { name: /en ligne/ })).not.toBeInTheDocument();
});

test("candidates are waited for, but not for ever", async () => {
  vi.useFakeTimers();
  let done = false;
  const peer = Object.assign(new EventTarget(), { iceGatheringState: "gathering" as RTCIceGatheringState });
  void gathered(peer as unknown as RTCPeerConnection).then(() => (done = true));
  await vi.advanceTimersByTimeAsync(GATHERING_MS - 100);
  expect(done).toBe(false);
  await vi.advanceTimersByTimeAsync(200);
  expect(done).toBe(true);
  vi.useRealTimers();
});

test("loudness: nothing is 0, full scale is 1, half of the range is in between", () => {
  expect(loudness(new Float32Array(1024))).toBe(0);
  expect(loudness(new Float32Array(1024).fill(1))).toBe(1);
  expect(loudness(new Float32Array(1024).fill(0.0316))).toBeCloseTo(0.5, 2);
});

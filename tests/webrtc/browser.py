"""A browser without a page: WebRTC by aiortc over loopback alone. Says speech, keeps what it hears with its times."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import random
from collections import deque
from fractions import Fraction
from typing import Any

import httpx
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame, AudioResampler

from tests.support.audio import SPEECH_LEVEL, Pcm, rms, speech

RATE = 16_000
FRAME = RATE // 50


class Microphone(MediaStreamTrack):
    """20 ms every 20 ms: what is to be said, else silence."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.words: deque[Pcm] = deque()
        self._due = asyncio.get_running_loop().time()
        self._samples = 0

    async def recv(self) -> AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        self._due += 0.02
        await asyncio.sleep(max(0.0, self._due - asyncio.get_running_loop().time()))
        pcm = self.words.popleft() if self.words else np.zeros(FRAME, dtype=np.int16)
        frame = AudioFrame(format="s16", layout="mono", samples=FRAME)
        frame.planes[0].update(pcm.astype("<i2").tobytes())
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._samples, Fraction(1, RATE)
        self._samples += FRAME
        return frame


class Browser:
    """One page with one call. ``async with Browser(http) as page: await page.call("lab")``."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.id = ""
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.microphone = Microphone()
        self.frames: list[tuple[float, Pcm]] = []
        """(when it came, 20 ms) of what was heard."""
        self._loud: list[float] = []
        self._loop = asyncio.get_running_loop()
        self._ears: asyncio.Task[None] | None = None
        self.peer.addTrack(self.microphone)
        self.peer.on("track", self._track)

    async def __aenter__(self) -> Browser:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    async def offer(self) -> str:
        """A complete offer, as a browser makes one."""
        ice = self._ice()
        gather = ice.get_component_candidates
        ice.get_component_candidates = functools.partial(_on_loopback, gather)
        await self.peer.setLocalDescription()
        return str(self.peer.localDescription.sdp)

    async def post(self, agent: str, sdp: str, **wanted: Any) -> httpx.Response:
        """Ask the server for a call."""
        return await self.http.post("/v1/browser-calls", json={"agent_id": agent, "sdp": sdp, **wanted})

    async def call(self, agent: str, **wanted: Any) -> None:
        """Call an agent, and connect."""
        answer = await self.post(agent, await self.offer(), **wanted)
        assert answer.status_code == 201, answer.text
        self.id = answer.json()["id"]
        assert answer.headers["location"] == f"/v1/calls/{self.id}"
        await self.peer.setRemoteDescription(RTCSessionDescription(answer.json()["sdp"], "answer"))

    async def press(self, digits: str) -> None:
        """Press keys."""
        answer = await self.http.post(f"/v1/browser-calls/{self.id}/digits", json={"digits": digits})
        assert answer.status_code == 204, answer.text

    async def hang_up(self) -> None:
        """The button."""
        answer = await self.http.delete(f"/v1/browser-calls/{self.id}")
        assert answer.status_code == 204, answer.text

    async def close(self) -> None:
        """The page is closed, and says so to the server (DTLS)."""
        if self._ears is not None:
            self._ears.cancel()
            await asyncio.gather(self._ears, return_exceptions=True)
        await self.peer.close()

    def vanish(self) -> None:
        """The machine goes to sleep: not one packet leaves any more."""
        for protocol in self._ice()._protocols:
            protocol.send_stun = lambda _message, _address: None
            protocol.request = _swallow
            protocol.send_data = _drop

    def lose(self, share: float) -> None:
        """The network loses this share of the packets that the page sends, from now on."""
        chance = random.Random(7)
        for protocol in self._ice()._protocols:
            send = protocol.send_data
            protocol.send_data = lambda data, to, send=send: (_drop if chance.random() < share else send)(data, to)

    def _ice(self) -> Any:
        transport: Any = self.peer.getTransceivers()[0].sender.transport.transport
        return transport.iceGatherer._connection

    # -- mouth and ears ------------------------------------------------------------------------------------------

    def say(self, text: str, language: str = "fr") -> None:
        """Begin to say something."""
        pcm = speech(text, language, rate=RATE)
        pcm = np.concatenate([pcm, np.zeros(-len(pcm) % FRAME, dtype=np.int16)])
        self.microphone.words.extend(pcm.reshape(-1, FRAME))

    async def said(self) -> None:
        """Wait until it is said."""
        while self.microphone.words:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    def heard(self, since: float = 0.0) -> Pcm:
        """Everything that came, end to end."""
        frames = [pcm for at, pcm in self.frames if at >= since]
        return np.concatenate(frames) if frames else np.zeros(0, dtype=np.int16)

    def speech_at(self, since: float = 0.0) -> list[float]:
        """When each 20 ms of speech came."""
        return [at for at in self._loud if at >= since]

    async def listen(self, *, within: float = 10.0, quiet: float = 0.9) -> Pcm:
        """Wait until the agent has begun and finished to talk; what it said since now."""
        since = self._loop.time()
        async with asyncio.timeout(within):
            while not self.speech_at(since):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        while self._loop.time() - self.speech_at(since)[-1] < quiet:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        return self.heard(since)

    async def ask(self, text: str, language: str = "fr") -> Pcm:
        """Say something, and listen to the answer."""
        self.say(text, language)
        await self.said()
        return await self.listen()

    def _track(self, track: MediaStreamTrack) -> None:
        self._ears = asyncio.create_task(self._listen(track))

    async def _listen(self, track: MediaStreamTrack) -> None:
        resampler = AudioResampler(format="s16", layout="mono", rate=RATE, frame_size=FRAME)
        with contextlib.suppress(MediaStreamError):
            while True:
                frame: Any = await track.recv()
                for made in resampler.resample(frame):
                    pcm = np.frombuffer(bytes(made.planes[0])[: 2 * made.samples], dtype="<i2").astype(np.int16)
                    self.frames.append((self._loop.time(), pcm))
                    if rms(pcm) > SPEECH_LEVEL:
                        self._loud.append(self._loop.time())

    # -- what the server says ------------------------------------------------------------------------------------

    async def record(self) -> dict[str, Any]:
        """The call as it stands."""
        answer = await self.http.get(f"/v1/calls/{self.id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def ended(self, within: float = 15.0) -> dict[str, Any]:
        """The call once it is over."""
        async with asyncio.timeout(within):
            while (record := await self.record())["ended_at"] is None:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        return record

    async def events(self, kind: str) -> list[dict[str, Any]]:
        """Payloads of the call's events of a kind."""
        answer = await self.http.get(f"/v1/calls/{self.id}/timeline")
        return [event["payload"] for event in answer.json()["items"] if event["kind"] == kind]

    async def words(self, actor: str) -> list[str]:
        """What one side said."""
        answer = await self.http.get(f"/v1/calls/{self.id}/transcript")
        return [said["text"] for said in answer.json()["items"] if said["actor"] == actor]


async def _on_loopback(gather: Any, component: int, addresses: list[str], timeout: int = 5) -> Any:
    return await gather(component=component, addresses=["127.0.0.1"], timeout=timeout)


async def _swallow(*_packet: object, **_more: object) -> None:
    """A question that nobody answers."""
    await asyncio.sleep(3600)


async def _drop(_data: bytes, _address: object) -> None:
    """A packet that goes nowhere."""

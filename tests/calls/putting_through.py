"""A caller to put through, on virtual time: real legs over a network in memory, a scripted destination, fake sound.

What a port was given is told apart by the value of its samples: see ``heard``.
"""

from __future__ import annotations

import asyncio
import functools
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from aiosipua.message import SipRequest, SipResponse

from parlons.agents.connections import InstallationSettings, SipConnection
from parlons.agents.models import Agent
from parlons.calls.dialling import Party, choose_route
from parlons.calls.limits import OutboundLimits
from parlons.calls.ringing import Asking, Exchange
from parlons.calls.timeline import Kind, Timeline
from parlons.calls.transferring import Transfer
from parlons.conversation.line import TransferOrder, TransferResult
from parlons.errors import PortsExhausted
from parlons.telephony.media.reports import MediaStats
from parlons.telephony.types import LegEnd
from tests.conversation.calls import nothing_left
from tests.support.fakes import FakePort
from tests.telephony.sip_core.network import FakeMedia
from tests.telephony.sip_core.world import CALLER, PEER, World, play

DESTINATION = "+33612345678"
AGENT_NUMBER = "+33123456789"
CALLER_NUMBER = "+33711223344"
VOICES = {"agent": 11, "early": 7, "relay": 9, "whisper": 5}
"""The bytes that each source is made of; anything else is ringback."""


def frames(voice: str, rate: int = 8000) -> bytes:
    return bytes([VOICES[voice]]) * (rate // 25)


def now() -> float:
    return asyncio.get_running_loop().time()


class Media(FakePort):
    """Both halves of a leg's media: session descriptions that only remember, and a port with its clock."""

    def __init__(self, rate: int = 8000, codec: str = "PCMA") -> None:
        super().__init__(deque(), rate)
        self.session = FakeMedia("us")
        self.stats = MediaStats()
        self.codec = codec
        self.received_by = "rfc4733"
        self.send_info: Any = None
        self.silent = 0.0
        self.closed = False

    @property
    def silent_seconds(self) -> float:
        return self.silent

    def advertise(self, address: str) -> None:
        self.session.advertise(address)

    def local_offer(self) -> bytes:
        return self.session.local_offer()

    def remote_offer(self, body: bytes) -> bytes:
        answer = self.session.remote_offer(body)
        self.on_hold = self.session.on_hold
        return answer

    def remote_answer(self, body: bytes) -> None:
        self.session.remote_answer(body)

    def info_dtmf(self, digit: str) -> None:
        if self.on_dtmf is not None:
            self.on_dtmf(digit)

    def start(self) -> None:
        if self._task is None:
            self.run()

    def close(self) -> None:
        self.closed = True
        if self._task is not None:
            self._task.cancel()
        self.source = self.sink = self.tap = self.on_dtmf = self.send_info = None

    def heard(self) -> list[str]:
        """Who was heard on this port, in order, each once for as long as it lasted."""
        names = {value: name for name, value in VOICES.items()}
        told: list[str] = []
        for _at, frame in self.spoken:
            name = names.get(frame[0], "ringback") if len(set(frame)) == 1 else "ringback"
            if not told or told[-1] != name:
                told.append(name)
        return told

    def first(self, name: str) -> float:
        """When it was first heard."""
        return next(
            at
            for at, frame in self.spoken
            if (len(set(frame)) == 1 and frame[0] == VOICES.get(name)) or (name == "ringback" and len(set(frame)) > 2)
        )


class Early:
    """Early media that can stop flowing."""

    def __init__(self, leg: Media, rate: int) -> None:
        self.leg, self.rate = leg, rate
        self.flowing = True
        self.closed = False

    def pull(self) -> bytes | None:
        assert not self.closed
        return frames("early", self.rate)

    def close(self) -> None:
        self.closed = True


class FakeRelay:
    """Takes both ports as the real one does."""

    def __init__(self, one: Media, other: Media, *, decode: bool) -> None:
        self.one, self.other, self.decode = one, other, decode
        self.on_digit: Callable[[Any, str], None] | None = None
        self.state = "new"

    def start(self) -> None:
        self.state = "started"
        for port in (self.one, self.other):
            port.source = functools.partial(frames, "relay", port.sample_rate)
            port.sink = port.on_dtmf = None

    def close(self) -> None:
        self.state = "closed"
        self.one.source = None

    def press(self, side: str, digit: str) -> None:
        assert self.on_digit is not None
        self.on_digit(side, digit)


class Scene:
    """A caller on the line with an agent that has just decided to put them through."""

    def __init__(
        self,
        world: World,
        *,
        connection: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
        party: Party | None = None,
        rate: int = 8000,
        codec: str = "PCMA",
        hide_digits: bool = False,
    ) -> None:
        self.world = world
        self.connection = SipConnection.model_validate(
            {"name": "trunk", "host": PEER[0], "port": PEER[1], **(connection or {})}
        )
        self.settings = InstallationSettings.model_validate(settings or {})
        self.agent = Agent.model_validate({"name": "a", "language": "fr-FR", "phone_numbers": [AGENT_NUMBER]})
        self.caller = Media(rate, codec)
        self.agent_voice = functools.partial(frames, "agent", rate)
        self.to_agent: list[bytes] = []
        self.agent_ear = self.to_agent.append
        self.agent_keys: list[str] = []
        self.agent_key = self.agent_keys.append
        self.give_to_agent()
        self.gone: asyncio.Future[LegEnd] = asyncio.get_running_loop().create_future()
        self.stop: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.timeline = Timeline()
        self.party = party or Party(AGENT_NUMBER, CALLER_NUMBER, "Ada")
        self.limits = OutboundLimits(asyncio.get_running_loop().time)
        self.opened: list[Media] = []
        self.asked_codecs: list[Sequence[str]] = []
        self.relays: list[FakeRelay] = []
        self.earlies: list[Early] = []
        self.no_ports = self.relay_breaks = False
        self.destination_codec = "PCMA"
        self.spoken_texts: list[str] = []
        self.speech: Callable[[], Awaitable[bytes]] = self._one_second
        self.hide_digits = hide_digits
        self.before = asyncio.all_tasks()
        self.caller.run()

    def give_to_agent(self) -> None:
        """The port as the conversation has it."""
        self.caller.source, self.caller.sink, self.caller.on_dtmf = self.agent_voice, self.agent_ear, self.agent_key

    @property
    def with_agent(self) -> bool:
        """Whether the port is the agent's."""
        port = self.caller
        return (port.source, port.sink, port.on_dtmf) == (self.agent_voice, self.agent_ear, self.agent_key)

    @property
    def destination(self) -> Media:
        return self.opened[-1]

    async def _one_second(self) -> bytes:
        return bytes([VOICES["whisper"]]) * 16000

    async def _speak(self, text: str, rate: int) -> bytes:
        assert rate == self.caller.sample_rate
        self.spoken_texts.append(text)
        return await self.speech()

    def _open(self, codecs: Sequence[str], dtmf: str) -> Media:
        if self.no_ports:
            raise PortsExhausted("No RTP port is free.")
        self.asked_codecs.append(codecs)
        self.opened.append(Media(16000 if self.destination_codec == "G722" else 8000, self.destination_codec))
        return self.opened[-1]

    def _relay(self, one: Any, other: Any, *, decode: bool) -> FakeRelay:
        if self.relay_breaks:
            raise ZeroDivisionError
        self.relays.append(FakeRelay(one, other, decode=decode))
        return self.relays[-1]

    def _early(self, leg: Any, rate: int) -> Early:
        self.earlies.append(Early(leg, rate))
        return self.earlies[-1]

    def transfer(self, *, decode: bool = False, route: Any = None, called: str = "", **order: Any) -> Transfer:
        order = {"action": "Transfert", "user": DESTINATION, **order}
        wanted = choose_route("trunk", self.agent, self.settings, None, {"trunk": self.connection}, {"trunk": "pw"})
        return Transfer(
            TransferOrder(**order),
            Asking(
                media=self.caller,
                gone=self.gone,
                timeline=self.timeline,
                party=self.party,
                called=called,
                country="FR",
                stop=self.stop,
                hide_digits=self.hide_digits,
            ),
            Exchange(self.world.alice.invite, self._open, self.limits, self._relay, self._early),
            wanted if route is None else route,
            self.settings,
            render=_plain,
            speak=self._speak,
            decode=decode,
        )

    def leave(self) -> None:
        """The caller hangs up."""
        self.gone.set_result(LegEnd("peer", "hung up"))

    def legs(self) -> list[str]:
        """The names of what happened to legs, in order."""
        return [e.payload["event"] for e in self.timeline.events if e.kind is Kind.LEG]

    def leg(self, event: str) -> dict[str, Any]:
        """The payload of the last event of that name."""
        found = [e.payload for e in self.timeline.events if e.kind is Kind.LEG and e.payload["event"] == event]
        return found[-1]

    def digits(self) -> list[tuple[str, str]]:
        return [(e.actor, e.payload["digits"]) for e in self.timeline.events if e.kind is Kind.DTMF]

    async def over(self) -> None:
        """Nothing that was acquired may be left."""
        self.caller.close()
        assert self.limits.legs == 0
        assert all(media.closed for media in self.opened)
        assert all(relay.state == "closed" for relay in self.relays)
        assert all(early.closed for early in self.earlies)
        assert self.legs().count("ended") == self.legs().count("dialled")
        await self.world.idle(self.world.alice)
        await nothing_left(self.before)


async def _plain(template: str, _where: str) -> str:
    return template.replace("{{ call }}", "c1")


async def said(seconds: float = 0.5) -> None:
    """The agent's sentence."""
    await asyncio.sleep(seconds)


def scene(script: Callable[[Scene], Coroutine[Any, Any, None]], **options: Any) -> None:
    """Run a script with a caller and a polite peer; then everything must have been released."""

    async def in_world(world: World) -> None:
        polite(world)
        made = Scene(world, **options)
        await script(made)
        await made.over()

    play(in_world)


def polite(w: World) -> None:
    """The peer answers CANCEL with 200 and 487, and BYE with 200."""

    def cancelled(cancel: SipRequest) -> None:
        w.peer.answer(cancel, 200)
        w.peer.answer(w.peer.requests("INVITE")[-1], 487)

    w.peer.on["CANCEL"] = cancelled
    w.peer.on["BYE"] = lambda bye: w.peer.answer(bye, 200)


Step = tuple[float, int] | tuple[float, int, bytes] | tuple[float, int, bytes, str]


def _answer(s: Scene, request: SipRequest, code: int, body: bytes, contact: str) -> None:
    if not contact:
        s.world.peer.answer(request, code, body=body, to=CALLER)
        return
    response = SipResponse(status_code=code, reason_phrase="So")
    for name in ("Via", "From", "To", "Call-ID", "CSeq"):
        response.headers.append(name, request.get_header(name) or "")
    response.set_header("To", f"{request.get_header('to')};tag=t1")
    response.headers.append("Contact", contact)
    s.world.peer.send(response, CALLER)


def answers(s: Scene, *legs: Sequence[Step]) -> None:
    """What the peer answers to each INVITE: (seconds after it, code, body, Contact). A 200 has a body by itself."""

    def invited(request: SipRequest) -> None:
        distinct = list(dict.fromkeys(r.get_header("call-id") for r in s.world.peer.requests("INVITE")))
        index = distinct.index(request.get_header("call-id"))
        again = [r for r in s.world.peer.requests("INVITE") if r.get_header("call-id") == distinct[index]]
        if index >= len(legs) or len(again) > 1:
            return
        for delay, code, *rest in legs[index]:
            body: Any = rest[0] if rest else b"v=0" if code == 200 else b""
            contact: Any = rest[1] if len(rest) > 1 else ""
            asyncio.get_running_loop().call_later(delay, _answer, s, request, code, body, contact)

    s.world.peer.on["INVITE"] = invited


def hang_up(s: Scene) -> None:
    """The destination says BYE in its newest dialog."""
    invite = s.world.peer.requests("INVITE")[-1]
    contact = (invite.get_header("contact") or "").strip("<>")
    bye = SipRequest(method="BYE", uri=contact)
    fields = {
        "Via": f"SIP/2.0/UDP {PEER[0]}:{PEER[1]};rport;branch=z9hG4bK-bye",
        "Max-Forwards": "70",
        "From": f"{invite.get_header('to')};tag=t1",
        "To": invite.get_header("from") or "",
        "Call-ID": invite.get_header("call-id") or "",
        "CSeq": "1 BYE",
    }
    for name, value in fields.items():
        bye.headers.append(name, value)
    s.world.peer.send(bye, CALLER)


async def outcome(s: Scene, sentence: Awaitable[object] | None = None, **order: Any) -> tuple[TransferResult, Transfer]:
    """Run one transfer."""
    transfer = s.transfer(**order)
    result = await transfer.run(said() if sentence is None else sentence)
    return result, transfer

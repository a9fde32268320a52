"""Where the transfers are played: one server, one scripted model, a caller's telephone, and those who are rung.

Every case is one agent with one script of the model's, played by one coroutine; all are played at the same time, a few
at once, because most of what they do is wait. What takes long to judge (audio) is judged afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.sip import agents
from tests.sip.talking import SAME_WORDS, sounds_like
from tests.sip.transfer_ears import wait_voice
from tests.sip.transfer_model import AgentsModel, prompt, told
from tests.sip.transfer_peers import BARESIP, CALLER, EXCHANGE, SIPP, Exchange, sipp_destinations, sipp_successes
from tests.support.audio import NARROW, Pcm, likeness, resample, speech
from tests.support.phone import Address, Phone
from tests.support.phone_call import Call
from tests.support.phone_rtp import RtpEnd
from tests.support.providers.base import Reply, Request
from tests.support.server import ParlonsServer, free_port

AT_ONCE = 8
RING_SECONDS = 5
GREETING = "Bonjour."
AFTER = "Je reprends votre appel, que puis-je faire ?"
"""What the model says when a transfer has failed."""
SPEAKS_WITHIN = 2.0
KNOWN = "- horaires, ouverture, ouvert : Nous sommes ouverts de neuf heures à dix-huit heures."
QUESTION = "quels sont vos horaires"
"""The recogniser hears words of the agent's own prompt: these it knows."""
AGENT_NUMBER, CALLER_NUMBER, DIALLED_NUMBER = "+33123456789", "+33612345678", "+33698765432"

# -- what is played ----------------------------------------------------------------------------------------------


def transfer(name: str = "Transfert", **fields: Any) -> dict[str, Any]:
    """A transfer action that rings for the shortest time; over ``desk`` when it does not say."""
    if not fields.keys() & {"sip_connection_id", "target_agent_id"}:
        fields["sip_connection_id"] = "desk"
    shortest = {} if "target_agent_id" in fields else {"max_ring_seconds": RING_SECONDS}
    return {"type": "transfer", "name": name, "description": f"Put the caller through ({name}).", **shortest, **fields}


def calls(name: str = "transfert", arguments: str = "{}", text: str = "") -> Reply:
    """The model calls a tool, perhaps saying something first."""
    return Reply(text=text, tool_calls=[(name, arguments)])


def two_steps(second: dict[str, Any], name: str, *, actions: Iterable[str] = (), **leaving: Any) -> dict[str, Any]:
    """A path of a prompt step for the agent ``name``, which enables ``actions``, and what its only transition leads
    to."""
    go = {"name": "go_on", "description": "Go on.", "to": second["id"], **leaving}
    start = {"id": "start", "type": "prompt", "prompt": prompt(name), "actions": [*actions], "transitions": [go]}
    return {"start": "start", "steps": [start, second]}


Play = Callable[["Visit"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Case:
    """One transfer to try: the agent ``name`` with its actions, what its model says in turn, and who plays it."""

    name: str
    play: Play
    actions: tuple[dict[str, Any], ...]
    replies: tuple[Reply, ...]
    fields: dict[str, Any]
    first: bool
    """Takes long: begun before the others."""


CASES: dict[str, Case] = {}


def extension(name: str) -> str:
    """Who is rung for a case at the exchange, when it does not say."""
    return name[:32]


def case(
    *,
    name: str = "",
    actions: Iterable[dict[str, Any]] | None = None,
    replies: Iterable[Reply] | None = None,
    first: bool = False,
    **fields: Any,
) -> Callable[[Play], Play]:
    """Register a coroutine as a case. Without ``actions`` there is one transfer to the extension named as the case,
    over the exchange; without ``replies`` the model asks for it in its first turn and says ``AFTER`` in every other."""

    def register(play: Play) -> Play:
        key = name or play.__name__
        assert extension(key) not in map(extension, CASES), key
        made = (transfer(destinations=[{"extension": extension(key)}]),) if actions is None else tuple(actions)
        said = (calls(), Reply(text=AFTER)) if replies is None else tuple(replies)
        CASES[key] = Case(key, play, made, said, fields, first)
        return play

    return register


def _document(one: Case, url: str) -> dict[str, Any]:
    model = {"type": "openai", "model": "m", "base_url": url, "api_key": "${LAB_KEY}"}
    return agents.agent(
        name=one.name,
        greeting=GREETING,
        silence_check_seconds=30,
        prompt=f"{prompt(one.name)}\n{KNOWN}",
        providers={"llm": model},
        actions=list(one.actions),
    ) | dict(one.fields)


def configuration(cases: Iterable[Case], more: dict[str, dict[str, Any]], port: int) -> dict[str, Any]:
    """Every agent, and every connection there may be. ``more``: agents that are no case."""
    url = f"http://127.0.0.1:{port}/v1"
    helpers = {key: _document(Case(key, _nothing, (), (), fields, False), url) for key, fields in more.items()}

    def to(address: Address, **fields: Any) -> dict[str, Any]:
        return agents.trunk(host=address[0], port=address[1], **fields)

    account = {"username": agents.TRUNK_USER, "password": "${TRUNK_PASSWORD}"}
    connections = {
        "front": to(CALLER, allowed_addresses=[f"{CALLER[0]}/32"]),
        "desk": to(EXCHANGE),
        "desk_00": to(EXCHANGE, number_format="00"),
        "desk_digits": to(EXCHANGE, number_format="digits"),
        "desk_caller": to(EXCHANGE, from_mode="caller"),
        "desk_national": to(EXCHANGE, from_mode="caller", number_format="national"),
        "desk_pcmu": to(EXCHANGE, codecs=["PCMU"]),
        "account": to(EXCHANGE, **account),
        "wrong_account": to(EXCHANGE, **account | {"password": "${WRONG_PASSWORD}"}),
        "baresip": to(BARESIP),
        **{key: to((host, 5060)) for key, (host, _, _) in SIPP.items()},
    }
    settings = {"default_country": "FR", "max_outbound_per_minute": 1000}
    documents = helpers | {one.name: _document(one, url) for one in cases}
    return {"agents": documents, "sip_connections": connections, "settings": settings}


async def _nothing(_visit: Visit) -> None:
    """Agents that are no case are played by nobody."""


# -- one case being played ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Stage:
    """What all cases share."""

    server: ParlonsServer
    model: AgentsModel
    caller: Phone
    exchange: Exchange
    own: Exchange
    """The caller's telephone as somebody who is rung: its connection is where calls go that name none."""
    folder: Path


@dataclass
class Visit:
    """A caller's call to one case's agent, and what may be asked about it."""

    stage: Stage
    name: str
    checks: list[Callable[[], None]] = field(default_factory=list)
    """Judged when all is over."""
    calls: list[Call] = field(default_factory=list)
    """The caller's and all that were rung: left at the end."""
    asked_at: float = 0.0

    # -- doing ---------------------------------------------------------------------------------------------------
    def take(self, call: Call) -> None:
        """This is the caller's call."""
        self.call = call
        self.calls.append(call)

    async def begin(self, **options: Any) -> Call:
        """Call the agent and hear its greeting out."""
        self.take(self.stage.caller.call(self.stage.server.uri(self.name), **options))
        answer = await self.call.invite()
        assert answer.code == 200, answer.start
        await self.call.rtp.wait_speech(8)
        await self.call.rtp.wait_quiet(0.3)
        return self.call

    async def ask(self, keys: str = "#") -> None:
        """Press keys: the model's turn."""
        self.asked_at = now()
        self.call.rtp.press(keys)
        await self.call.rtp.said()

    async def ring(self, user: str = "", **options: Any) -> Call:
        """Call the agent and ask; the call that comes for ``user`` (the case's own extension)."""
        await self.begin(**options)
        await self.ask()
        return await self.rung(user)

    async def rung(self, user: str = "", within: float = 4.0) -> Call:
        """The next call for a user of the exchange."""
        call = await self.stage.exchange.rung(user or extension(self.name), within)
        self.calls.append(call)
        return call

    def invites(self) -> list[float]:
        """When INVITEs for the case's own extension came, repetitions included."""
        return self.stage.exchange.invites(extension(self.name))

    async def bridged(self, **options: Any) -> Call:
        """The destination's call, answered and joined."""
        there = await self.ring(**options)
        there.ring()
        await asyncio.sleep(0.2)
        await there.answer()
        await self.joined()
        return there

    async def joined(self) -> None:
        """Wait until the timeline says that the legs are joined."""
        await self.until(lambda: "bridged" in self.leg_events(), 4, "not joined")

    async def hang_up(self) -> None:
        """The caller hangs up, if still there."""
        if not self.call.ended.is_set():
            assert (await self.call.bye()).code == 200

    async def speaks_first(self, since: float | None = None) -> None:
        """The agent has the call back: it says ``AFTER`` within two seconds of the outcome, asked by nobody."""
        since = await self.finished_at() if since is None else since
        began = await wait_voice(self.call.rtp, since - 0.05, SPEAKS_WITHIN + 6)
        assert began - since <= SPEAKS_WITHIN, f"the agent spoke {began - since:.2f} s after the outcome"
        await self.call.rtp.wait_quiet(0.5)
        self.sounds_like(self.call.rtp.heard(began - 0.2), AFTER)

    async def fails(self, outcome: str, **fields: Any) -> dict[str, Any]:
        """The whole of a transfer that came to nothing, from its outcome on: timeline, model, voice; then the caller
        hangs up. What the model was told."""
        finished = await self.outcome()
        assert finished["outcome"] == outcome, finished
        assert {k: finished.get(k) for k in fields} == fields, finished
        await self.speaks_first()
        given = told(self.requests()[-1])
        assert given["outcome"] == outcome, given
        await self.hang_up()
        record = await self.record()
        assert (record["status"], record["ended_by"]) == ("completed", "caller"), record
        return given

    # -- reading -------------------------------------------------------------------------------------------------
    async def until(self, check: Callable[[], Any], timeout: float, complaint: str) -> Any:
        """Wait for something to be true."""
        return await asyncio.to_thread(self.stage.server.until, check, timeout, f"{self.name}: {complaint}")

    def timeline(self) -> list[dict[str, Any]]:
        server = self.stage.server
        return server.timeline(server.call(self.call.id)["id"])

    def payloads(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """Payloads of one kind of event that hold these fields."""
        found = [e["payload"] for e in self.timeline() if e["kind"] == kind]
        return [p for p in found if fields.items() <= p.items()]

    def leg_events(self) -> list[str]:
        """What happened to the destination's leg."""
        return [p["event"] for p in self.payloads("leg", leg="destination")]

    def digits(self, actor: str) -> str:
        """The keys of one side, as the timeline has them."""
        return "".join(e["payload"]["digits"] for e in self.timeline() if (e["kind"], e["actor"]) == ("dtmf", actor))

    async def outcome(self, number: int = 1, within: float = 20.0) -> dict[str, Any]:
        """The ``action_finished`` of the transfer that was tried n-th."""

        def finished() -> list[dict[str, Any]] | None:
            found = self.payloads("action_finished", type="transfer")
            return found if len(found) >= number else None

        found = await self.until(finished, within, "the transfer has no outcome")
        payload: dict[str, Any] = found[number - 1]
        return payload

    async def finished_at(self) -> float:
        """When the last transfer's outcome was known, in the loop's time (within some milliseconds)."""
        at = [e["at_ms"] for e in self.timeline() if e["kind"] == "action_finished"][-1]
        return self.call.invite_at + float(at) / 1000

    async def record(self) -> dict[str, Any]:
        """The call's record, once it is over."""
        return await asyncio.to_thread(self.stage.server.ended, self.call.id)

    def requests(self, agent: str = "") -> list[Request]:
        """What the model was asked for an agent."""
        return self.stage.model.of(agent or self.name)

    # -- judging later -------------------------------------------------------------------------------------------
    def sounds_like(self, heard: Pcm, words: str, language: str = "fr") -> None:
        """These words, in the voice of the server."""

        def check() -> None:
            score = sounds_like(heard, words, language)
            assert score > SAME_WORDS, f"{self.name}: {words!r} was not heard ({score:.2f})"

        self.checks.append(check)

    def carries(self, rtp: RtpEnd, words: str, since: float = 0.0) -> None:
        """These words, as a telephone of ours said them (``audio.speech``), came between ``since`` and now."""
        until = now()

        def check() -> None:
            score = likeness(resample(rtp.heard(since, until), rtp.rate, NARROW), speech(words)).score
            assert score > SAME_WORDS, f"{self.name}: {words!r} did not come across ({score:.2f})"

        self.checks.append(check)


def now() -> float:
    return asyncio.get_running_loop().time()


# -- all of it ---------------------------------------------------------------------------------------------------


@dataclass
class Played:
    """What became of every case."""

    faults: dict[str, BaseException] = field(default_factory=dict)
    checks: dict[str, list[Callable[[], None]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    sipp: dict[str, int] = field(default_factory=dict)
    """Calls that each SIPp saw go as its scenario says."""

    def judge(self, name: str) -> None:
        """Raise what went wrong in a case."""
        if name in self.faults:
            raise self.faults[name]
        for check in self.checks[name]:
            check()


async def play(server: ParlonsServer, port: int, cases: list[Case], folder: Path) -> Played:
    """Play cases, ``AT_ONCE`` at a time, the long ones first."""
    played = Played()
    script = {one.name: list(one.replies) for one in cases}
    turns = asyncio.Semaphore(AT_ONCE)
    async with (
        AgentsModel(script, port=port, key="") as model,
        Phone(user="caller", host=CALLER[0], port=CALLER[1]) as caller,
        Phone(user="desk", host=EXCHANGE[0], port=EXCHANGE[1]) as desk,
        sipp_destinations(folder) as statistics,
    ):
        await asyncio.to_thread(server.wait_providers)
        exchange, own = Exchange(desk), Exchange(caller)
        sorting = [asyncio.create_task(one.sort()) for one in (exchange, own)]
        stage = Stage(server, model, caller, exchange, own, folder)

        async def run(one: Case) -> None:
            async with turns:
                began = now()
                visit = Visit(stage, one.name)
                try:
                    async with asyncio.timeout(50):
                        await one.play(visit)
                except BaseException as fault:
                    played.faults[one.name] = fault
                    with contextlib.suppress(AssertionError, AttributeError):
                        fault.add_note("\n".join(map(str, visit.timeline())))
                for call in visit.calls:
                    with contextlib.suppress(TimeoutError, OSError):
                        await call.leave()
                played.checks[one.name] = visit.checks
                played.seconds[one.name] = now() - began

        await asyncio.gather(*(run(one) for one in sorted(cases, key=lambda one: not one.first)))
        for task in sorting:
            task.cancel()
        await asyncio.sleep(1.2)  # SIPp writes its statistics every second
        played.sipp = {key: sipp_successes(statistics(key)) for key in SIPP}
    return played


def new_server(
    folder: Path, cases: Iterable[Case], more: dict[str, dict[str, Any]], rtp_ports: range
) -> tuple[ParlonsServer, int]:
    """The server for these cases, not started, and the port that its model will have."""
    port = free_port(socket.SOCK_STREAM)
    secrets = {"LAB_KEY": "test", "TRUNK_PASSWORD": agents.TRUNK_PASSWORD, "WRONG_PASSWORD": "not the password"}
    return ParlonsServer(folder, configuration(cases, more, port), rtp_ports=rtp_ports, environment=secrets), port

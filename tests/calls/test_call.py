"""The life of one call on virtual time: every way it can end has its record, its event, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from parlons.agents.common import SpokenText
from parlons.agents.connections import InstallationSettings, SipConnection
from parlons.agents.models import Agent
from parlons.agents.workflows import Workflow
from parlons.calls.call import Call
from parlons.calls.directory import Directory, LiveAgent
from parlons.calls.equipment import Equipment
from parlons.calls.messages import BUILT_IN, MessageBank
from parlons.calls.record import CallRecord
from parlons.calls.timeline import CallStatus, Event, Kind
from parlons.conversation.providers.registry import Built
from parlons.errors import LegClosed, PortsExhausted, ProviderUnusable, SdpError
from parlons.metrics import Metrics
from parlons.telephony.types import LegEnd, LegEvents, Outcome
from tests.conversation.calls import nothing_left
from tests.support.fakes import Fail, FakeLLM, FakePort, FakeSTT, FakeTTS, FakeVAD
from tests.support.virtual_time import run


class Port(FakePort):
    """A leg's media: the fake port, with what a call does to it."""

    codec = "PCMA"
    received_by = "rfc4733"
    send_info: Any = None
    silent = 0.0
    closed = False

    @property
    def silent_seconds(self) -> float:
        return self.silent

    def close(self) -> None:
        self.closed = True


class FakeLeg:
    """A leg that does as it is told and remembers it."""

    info = None
    end: LegEnd | None = None

    def __init__(self) -> None:
        self.events = LegEvents()
        self.did: list[str] = []
        self.attach_error: SdpError | None = None
        self.left_before_answer = False
        self.bye_before_ack = False
        self.outcome = Outcome.ANSWERED
        self.labels: tuple[tuple[str, str], ...] = ()

    def attach(self, _media: object) -> None:
        if self.attach_error is not None:
            raise self.attach_error

    def ring(self) -> None:
        self.did.append("ring")

    async def answer(self) -> None:
        if self.left_before_answer:
            self.end = LegEnd("peer", "cancelled", 487)
            raise LegClosed("the caller left")
        if self.bye_before_ack:
            self.end = LegEnd("peer", "hung up")
            raise LegClosed("the caller left before the call was up")
        self.did.append("answer")

    def refuse(self, code: int, _reason: str = "", _headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.did.append(f"refuse {code}")

    def label(self, headers: tuple[tuple[str, str], ...]) -> None:
        self.did.append("label")
        self.labels = headers

    async def dial(self) -> Outcome:
        self.did.append("dial")
        return self.outcome

    async def hang_up(self, _reason: str = "", *, code: int | None = None) -> None:
        self.did.append("hang up")

    async def send_info(self, _content_type: str, _body: bytes) -> int:
        return 200

    def peer_hangs_up(self) -> None:
        assert self.events.ended is not None
        self.events.ended(LegEnd("peer", "hung up"))


class Media:
    """A media engine with one port, or none left."""

    def __init__(self, port: Port, *, full: bool = False) -> None:
        self._port, self._full = port, full

    def open(self, **_options: object) -> Port:
        if self._full:
            raise PortsExhausted("No RTP port is free.")
        return self._port


class Writer:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.statuses: list[CallStatus] = []
        self.events: list[Event] = []

    def record(self, record: CallRecord) -> None:
        self.statuses.append(record.status)

    def event(self, _call_id: str, event: Event) -> None:
        self.events.append(event)


class Second:
    """Whatever is to be said lasts one second."""

    def key(self, _agent: Agent, message: SpokenText) -> str:
        return f"{message.language} {message.text}"

    async def own(self, _agent: Agent, _message: SpokenText) -> bytes:
        return b"\x10\x10" * 8000

    async def built_in(self, _message: SpokenText) -> bytes:
        return b"\x10\x10" * 8000


class Scene:
    """One call with its surroundings."""

    def __init__(self, folder: Path, *, direction: str = "inbound", full: bool = False, **fields: object) -> None:
        self.words: deque[str] = deque()
        self.port, self.leg, self.writer = Port(self.words), FakeLeg(), Writer()
        self.model: FakeLLM = FakeLLM()
        self.unusable = False
        self.unavailable = ""
        """What the background check says of the agent's providers."""
        self.settings = InstallationSettings()
        self.connections: dict[str, SipConnection] = {}
        self.connection: SipConnection | None = None
        """The call's own."""
        self.knowledge: Any = SimpleNamespace(is_ready=lambda _source: False)
        self.exchange: Any = None
        self.folder = folder
        self.others: dict[str, LiveAgent] = {}
        """More agents of the installation."""
        self.workflows: dict[str, Workflow] = {}
        self.tamper: Callable[[MessageBank], None] = lambda _messages: None
        self.voices: list[FakeTTS] = []
        """Of each agent that had the call, in order."""
        self.agent = Agent.model_validate(
            {"name": "a", "language": "fr-FR", "greeting": "Bonjour.", "direction": direction, **fields}
        )
        self.record = CallRecord(
            id="c1", direction=cast("Any", direction), started_at=datetime.now(UTC), agent_id="a", caller="+33123456789"
        )
        self._full = full

    def providers(self, _agent: Agent, _rate: int) -> Built:
        if self.unusable:
            raise ProviderUnusable("No key.", hint="Set OPENAI_API_KEY.")
        self.voices.append(FakeTTS())
        return Built([FakeSTT(self.words)], [self.model], [self.voices[-1]])

    async def call(self, meanwhile: Callable[[Call], Awaitable[None]] | None = None) -> CallRecord:
        before = asyncio.all_tasks()
        messages = MessageBank(self.folder / "messages", Second())
        await messages.start()
        await messages.prepare([self.agent], self.settings)
        self.tamper(messages)
        equipment = Equipment(
            media=cast("Any", Media(self.port, full=self._full)),
            writer=self.writer,
            messages=messages,
            metrics=Metrics(),
            build_providers=self.providers,
            build_voices=self.providers,
            unavailable=lambda _agent: self.unavailable,
            recordings=self.folder / "recordings",
            exchange=self.exchange,
        )
        call = Call(
            equipment,
            LiveAgent("a", 3, self.agent),
            cast("Any", self.leg),
            self.record,
            cast(
                "Any",
                SimpleNamespace(
                    directory=Directory(
                        self.others, self.connections, settings=self.settings, workflows=self.workflows
                    ),
                    outbound_passwords={},
                    take=lambda _: lambda: None,
                    workflow_secrets={},
                    http=None,
                    knowledge=self.knowledge,
                    runs=SimpleNamespace(run=lambda *_: None),
                ),
            ),
            self.connection,
        )
        self.port.run()
        life = call.run_inbound if self.record.direction == "inbound" else call.run_outbound
        running = asyncio.ensure_future(life())
        if meanwhile is not None:
            await meanwhile(call)
        await running
        await self.port.stop()
        await nothing_left(before)
        assert self.writer.statuses[-1] is not CallStatus.IN_PROGRESS
        assert self.record.ended_at is not None
        assert self.kinds().count(Kind.HANG_UP) == 1
        return self.record

    def kinds(self) -> list[Kind]:
        return [e.kind for e in self.writer.events]


@pytest.fixture(autouse=True)
def _fake_vad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parlons.conversation.session.new_detector", lambda _ms: FakeVAD())


def after(seconds: float, act: Callable[[Call], None]) -> Callable[[Call], Awaitable[None]]:
    async def meanwhile(call: Call) -> None:
        await asyncio.sleep(seconds)
        act(call)

    return meanwhile


def test_the_caller_hangs_up_during_the_greeting(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    record = run(scene.call(after(0.3, lambda _: scene.leg.peer_hangs_up())))
    assert (record.status, record.ended_by) == (CallStatus.COMPLETED, "caller")
    assert scene.leg.did[:2] == ["ring", "answer"]
    assert scene.port.closed
    assert record.answered_at is not None


def test_the_caller_left_before_the_answer(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.leg.left_before_answer = True
    record = run(scene.call())
    assert (record.status, record.ended_by, record.answered_at) == (CallStatus.CANCELED, "caller", None)
    assert scene.port.closed


def test_a_bye_that_overtakes_the_ack_ends_a_call_that_was_answered(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.leg.bye_before_ack = True
    assert run(scene.call()).status is CallStatus.COMPLETED


def test_no_common_codec_is_488(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.leg.attach_error = SdpError(488, "Not Acceptable Here")
    record = run(scene.call())
    assert record.status is CallStatus.REJECTED
    assert scene.leg.did[0] == "refuse 488"
    assert scene.port.closed


def test_no_port_left_is_503(tmp_path: Path) -> None:
    scene = Scene(tmp_path, full=True)
    record = run(scene.call())
    assert record.status is CallStatus.FAILED
    assert scene.leg.did[0] == "refuse 503"


def test_an_agent_that_cannot_run_still_answers_with_the_default_error_message(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.unusable = True
    record = run(scene.call())
    assert (record.status, record.trigger) == (CallStatus.FAILED, "agent_unavailable")
    assert scene.leg.did == ["ring", "answer", "hang up"]
    assert len(scene.port.spoken) == 50  # the stored second, to its last frame


def test_a_model_that_never_works_ends_in_the_default_error_message(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.model = FakeLLM(*[Fail()] * 50, otherwise=Fail())

    async def talk(_call: Call) -> None:
        for _ in range(3):
            await asyncio.sleep(5)
            await scene.port.caller_says("Quels sont vos horaires ?")

    record = run(scene.call(talk))
    assert record.status is CallStatus.FAILED
    said = [e.payload["text"] for e in scene.writer.events if e.kind is Kind.TRANSCRIPT and e.actor == "agent"]
    assert said[-1] == BUILT_IN["fr"].text


def test_a_peer_that_sends_no_audio_any_more(tmp_path: Path) -> None:
    scene = Scene(tmp_path, silence_check_seconds=60)

    def cut(_call: Call) -> None:
        scene.port.silent = 61.0

    record = run(scene.call(after(1, cut)))
    assert "no audio" in record.end_reason
    assert "hang up" in scene.leg.did


def test_silence_and_return_are_on_the_timeline(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def pause(_call: Call) -> None:
        for silent in (6.0, 0.0):
            scene.port.silent = silent
            await asyncio.sleep(2)
        scene.leg.peer_hangs_up()

    run(scene.call(pause))
    seen = [e.payload["event"] for e in scene.writer.events if e.kind is Kind.LEG]
    assert seen == ["rtp_silence", "rtp_resumed"]


def test_the_operator_ends_it(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    record = run(scene.call(after(1, lambda call: call.stop("the server is shutting down"))))
    assert (record.status, record.ended_by) == (CallStatus.COMPLETED, "system")
    assert record.end_reason == "the server is shutting down"


def test_both_sides_are_recorded_when_asked(tmp_path: Path) -> None:
    scene = Scene(tmp_path, record_audio=True)

    def leave(_call: Call) -> None:
        assert scene.port.tap is not None
        scene.port.tap(bytes(320), bytes(320))
        scene.leg.peer_hangs_up()

    record = run(scene.call(after(1, leave)))
    assert record.recording == "c1.wav"
    assert (tmp_path / "recordings" / "c1.wav").stat().st_size > 300
    assert [e.payload["event"] for e in scene.writer.events if e.kind is Kind.RECORDING] == ["started", "stopped"]


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.BUSY, CallStatus.BUSY),
        (Outcome.NO_ANSWER, CallStatus.NO_ANSWER),
        (Outcome.DECLINED, CallStatus.REJECTED),
        (Outcome.UNREACHABLE, CallStatus.UNREACHABLE),
        (Outcome.INVALID_DESTINATION, CallStatus.UNREACHABLE),
        (Outcome.CALLER_LEFT, CallStatus.CANCELED),
    ],
)
def test_how_an_outbound_call_can_fail(tmp_path: Path, outcome: Outcome, status: CallStatus) -> None:
    scene = Scene(tmp_path, direction="outbound")
    scene.leg.outcome = outcome
    record = run(scene.call())
    assert (record.status, record.answered_at) == (status, None)
    assert scene.port.closed


def test_nothing_is_dialled_for_an_outbound_agent_that_cannot_run(tmp_path: Path) -> None:
    scene = Scene(tmp_path, direction="outbound")
    scene.unusable = True
    record = run(scene.call())
    assert (record.status, record.trigger) == (CallStatus.FAILED, "agent_unavailable")
    assert "dial" not in scene.leg.did


def test_a_bug_costs_one_call_and_keeps_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("parlons.calls.talking.Conversation", broken)
    scene = Scene(tmp_path)
    record = run(scene.call())
    assert record.status is CallStatus.FAILED
    assert "ZeroDivisionError" in record.end_reason
    assert scene.port.closed

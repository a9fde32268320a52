"""Trying the failover: what each trigger lets a caller hear, over real RTP, and that nothing of it is a call."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import numpy as np
import pytest

from parlons.agents.common import SpokenText
from parlons.agents.connections import SipConnection
from parlons.agents.models import Agent
from parlons.agents.workflows import Workflow
from parlons.calls import rehearsal
from parlons.calls.equipment import Equipment
from parlons.calls.failover_table import Trigger
from parlons.calls.limits import OutboundLimits
from parlons.calls.messages import BUILT_IN, MessageBank
from parlons.calls.preparing import COST_THE_CALL
from parlons.calls.record import CallRecord
from parlons.calls.rehearsal import Rehearsals
from parlons.calls.ringing import Exchange
from parlons.calls.service import CallService
from parlons.conversation.providers.registry import Built
from parlons.errors import ProviderUnusable
from parlons.metrics import Metrics
from parlons.telephony.media.crossing import early_media
from parlons.telephony.media.engine import MediaEngine
from parlons.telephony.media.relay import Relay
from parlons.telephony.types import OutboundInvite

from .stage import AGENT, Stage

CLOSED = {"type": "message", "text": "Fermé ce matin.", "language": "fr-FR"}
CHANGED = {"type": "message", "text": "Fermé cet après-midi.", "language": "fr-FR"}
PHONE = {"type": "transfer", "phone": "+33123456780"}
SORRY = {"text": "Veuillez rappeler.", "language": "fr-FR"}
TRUNK = {"name": "Trunk", "host": "trunk.example.com"}
LEVELS = {CLOSED["text"]: 2000, CHANGED["text"]: 4000, SORRY["text"]: 8000}
"""How loud each text is: that is how they are told apart."""
BUILT_IN_LEVEL = 12000
SPOKEN_SECONDS = 0.4


class Voices:
    """Whatever is said is one level for ``SPOKEN_SECONDS``."""

    def __init__(self) -> None:
        self.broken = False
        self.made: list[str] = []
        self.waits = asyncio.Event()
        self.waits.set()

    def key(self, _agent: Agent, message: SpokenText) -> str:
        return f"{message.language} {message.text}"

    async def own(self, _agent: Agent, message: SpokenText) -> bytes:
        await self.waits.wait()
        if self.broken:
            raise ProviderUnusable("No key.")
        self.made.append(message.text)
        return _level(LEVELS[message.text])

    async def built_in(self, _message: SpokenText) -> bytes:
        return _level(BUILT_IN_LEVEL)


def _level(level: int) -> bytes:
    return np.full(round(8000 * SPOKEN_SECONDS), level, "<i2").tobytes()


class Rehearsing:
    """An API whose calls have real media, no SIP endpoint, and providers that nobody may ask."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage = stage
        self.http = stage.http
        self.media = MediaEngine("127.0.0.1", "203.0.113.9", 39600, 39699)
        self.voices = Voices()
        self.folder = folder / "messages"
        self.bank = MessageBank(self.folder, self.voices)
        self.metrics = Metrics()
        self.ended: list[CallRecord] = []
        self.records: list[CallRecord] = []
        equipment = Equipment(
            media=self.media,
            writer=cast("Any", SimpleNamespace(record=self.records.append, event=lambda *_: None)),
            messages=self.bank,
            metrics=self.metrics,
            build_providers=self._nobody,
            build_voices=self._nobody,
            unavailable=lambda _agent: "",
            recordings=folder / "recordings",
            exchange=Exchange(
                invite=self._rings,
                open_media=self.media.open,
                limits=OutboundLimits(asyncio.get_running_loop().time),
                relay=Relay,
                early=early_media,
            ),
            ended=self.ended.append,
        )
        self.calls = CallService(
            cast("Any", None),
            equipment,
            max_calls=10,
            http=stage.line.http,
            runs=cast("Any", SimpleNamespace(run=lambda *_: pytest.fail("a run of a call"))),
            knowledge=cast("Any", None),
        )
        self.calls.directory = stage.line.directory
        self.rehearsals = Rehearsals(self.calls, "127.0.0.1")
        stage.app.state.services = dataclasses.replace(stage.services, calls=self.calls, rehearsals=self.rehearsals)

    @staticmethod
    def _nobody(_agent: Agent, _rate: int) -> Built:
        pytest.fail("a provider was asked for")

    @staticmethod
    def _rings(invite: OutboundInvite) -> Any:
        pytest.fail(f"{invite.target} was rung")

    # -- what there is -------------------------------------------------------------------------------------------

    def live(self, **values: Any) -> None:
        """Change the picture that calls work with."""
        self.calls.directory = dataclasses.replace(self.calls.directory, **values)

    async def agent(self, action: Any = CLOSED, *, enabled: bool = True, **fields: Any) -> None:
        """An agent that is published, with its messages made."""
        failover = {"enabled": enabled, "action": action, "during_call": True}
        fields = {"language": "fr-FR", "failover": failover, "default_error_message": SORRY} | fields
        await self.stage.agent(**fields)
        agent = Agent.model_validate(AGENT | fields)
        await self.bank.prepare([agent], self.calls.directory.settings)
        self.voices.made.clear()

    async def connection(self) -> None:
        """A SIP connection that calls may come in over."""
        answer = await self.http.post("/v1/sip-connections", json={"id": "trunk", "document": TRUNK})
        assert answer.status_code == 201, answer.text
        self.live(connections={"trunk": SipConnection.model_validate(TRUNK)})

    async def workflow(self, value: Any) -> None:
        """A failover workflow that decides."""
        steps = [{"id": "back", "type": "return", "value": value}]
        document = {"name": "Décide", "trigger": "failover", "status": "published", "steps": steps}
        answer = await self.http.post("/v1/workflows", json={"id": "decides", "document": document})
        assert answer.status_code == 201, answer.text
        self.live(workflows={"decides": Workflow.model_validate(document)})

    # -- what is asked -------------------------------------------------------------------------------------------

    async def ask(self, trigger: str = "pre_call_error", agent_id: str = "accueil", **body: Any) -> httpx.Response:
        return await self.http.post(f"/v1/agents/{agent_id}/failover/try", json={"trigger": trigger, **body})

    async def tried(self, trigger: str = "pre_call_error", **body: Any) -> dict[str, Any]:
        answer = await self.ask(trigger, **body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def heard(self, tried: dict[str, Any]) -> list[int]:
        """The levels that the caller heard, each for most of its time."""
        answer = await self.http.get(f"/v1/agents/accueil/failover/try/{tried['audio_id']}")
        assert answer.status_code == 200, answer.text
        return levels(answer)


def levels(answer: httpx.Response) -> list[int]:
    """The texts' levels in a WAV, in order, A-law or not."""
    assert answer.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(answer.content)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 8000)
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
    found: list[int] = []
    for level in (*LEVELS.values(), BUILT_IN_LEVEL):
        if np.count_nonzero(np.abs(samples - level) < level * 0.05) > 8000 * SPOKEN_SECONDS * 0.8:
            found.append(level)
    return found


def failovers(tried: dict[str, Any]) -> list[str]:
    return [e["payload"]["event"] for e in tried["events"] if e["kind"] == "failover"]


@pytest.fixture
async def at(stage: Stage, tmp_path: Path) -> AsyncIterator[Rehearsing]:
    made = Rehearsing(stage, tmp_path)
    await made.media.start()
    await made.bank.start()
    yield made
    gauges = made.media.gauges()
    await made.media.stop()
    assert (gauges["legs"], gauges["ports_in_use"]) == (0, 0), "media is left open"
    assert not made.records, "a rehearsal is no call"
    assert not made.ended, "it counts for no alert"
    assert not made.calls.active


# -- what cannot be tried ------------------------------------------------------------------------------------------


async def test_a_trigger_that_there_is_not(at: Rehearsing) -> None:
    await at.agent()
    for body in ({"trigger": "bad_luck"}, {}, {"trigger": None}):
        answer = await at.http.post("/v1/agents/accueil/failover/try", json=body)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["path"] == "trigger"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"destination": "hangs_up"}, "destination"),
        ({"who": "me"}, "who"),
        ({"failover": {"enabled": True}}, "failover"),
        (
            {"failover": {"enabled": True, "action": CLOSED | {"text": "Bonjour {{ name }}."}}},
            "failover.action",
        ),
        (
            {"failover": {"enabled": True, "action": {"type": "workflow", "workflow_id": "gone"}}},
            "failover.action.workflow_id",
        ),
        ({"failover": {"enabled": True, "action": CLOSED}, "default_error_message": {"text": ""}}, "default_error"),
    ],
)
async def test_what_could_not_be_saved_is_not_tried(at: Rehearsing, body: dict[str, Any], path: str) -> None:
    await at.agent()
    answer = await at.ask(**body)
    assert answer.status_code == 422, answer.text
    assert [e for e in answer.json()["errors"] if e["path"].startswith(path)], answer.text


async def test_an_agent_that_there_is_not(at: Rehearsing) -> None:
    assert (await at.ask(agent_id="nobody")).status_code == 404
    assert (await at.http.get("/v1/agents/nobody/failover/speech/message")).status_code == 404


async def test_an_outbound_agent_has_no_failover(at: Rehearsing) -> None:
    await at.stage.agent(direction="outbound")
    assert (await at.ask()).status_code == 409


async def test_a_viewer_listens_and_tries_nothing(at: Rehearsing) -> None:
    await at.agent()
    kept = (await at.tried())["audio_id"]
    viewer = await at.stage.signed_in("viewer")
    path = "/v1/agents/accueil/failover"
    assert (await viewer.post(f"{path}/try", json={"trigger": "pre_call_error"})).status_code == 403
    assert (await viewer.post(f"{path}/speech", json=SORRY)).status_code == 403
    assert (await viewer.get(f"{path}/speech/message")).status_code == 200
    assert (await viewer.get(f"{path}/try/{kept}")).status_code == 200
    await viewer.aclose()


async def test_nothing_is_tried_while_no_call_is_taken(at: Rehearsing) -> None:
    await at.agent()
    at.calls._draining = True
    assert (await at.ask()).status_code == 409


async def test_two_at_once_and_no_third(at: Rehearsing) -> None:
    await at.agent()
    answers = await asyncio.gather(*(at.ask() for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 409]
    assert (await at.ask()).status_code == 200, "room again"


async def test_who_goes_away_has_hung_up(at: Rehearsing) -> None:
    """The page is closed while a message is played."""
    await at.agent()
    asking = asyncio.create_task(at.ask())
    while not at.media.gauges()["legs"]:  # noqa: ASYNC110 (real time)
        await asyncio.sleep(0.01)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert not at.media.gauges()["legs"]
    assert not at.rehearsals._under_way


async def test_a_connection_that_is_lost_ends_it(at: Rehearsing, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a server tells the application: ``http.disconnect``."""
    monkeypatch.setattr("parlons.api.routes.failover_tries.LOOK_SECONDS", 0.05)
    await at.agent()
    at.voices.waits.clear()  # a provider that never answers
    messages: list[dict[str, Any]] = []
    body = b'{"text": "Veuillez plus tard.", "language": "fr-FR"}'
    waiting: list[dict[str, Any]] = [
        {"type": "http.request", "body": body, "more_body": False},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    async def send(message: Any) -> None:
        messages.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/agents/accueil/failover/speech",
        "raw_path": b"/v1/agents/accueil/failover/speech",
        "query_string": b"",
        "headers": [
            (b"content-type", b"application/json"),
            (b"authorization", at.http.headers["authorization"].encode()),
        ],
        "http_version": "1.1",
        "scheme": "http",
        "root_path": "",
    }
    async with asyncio.timeout(3):
        await at.stage.app(scope, receive, send)
    assert messages[0]["status"] == 409


async def test_no_port_is_free(at: Rehearsing) -> None:
    await at.agent()
    legs = [at.media.open() for _ in range(50)]
    answer = await at.ask()
    for leg in legs:
        leg.close()
    assert answer.status_code == 502, answer.text
    assert not at.rehearsals._under_way


# -- what each trigger gives ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("trigger", [trigger.value for trigger in Trigger])
async def test_every_trigger_lets_the_caller_hear_the_message(at: Rehearsing, trigger: str) -> None:
    """As ``tests/sip/test_failover`` has it for a message."""
    await at.agent()
    tried = await at.tried(trigger)
    told = tried["status"], tried["action"], tried["outcome"], tried["ended_by"]
    assert told == ("failover", "message", "played", "system")
    assert await at.heard(tried) == [LEVELS[CLOSED["text"]]]
    assert tried["seconds"] >= SPOKEN_SECONDS + 0.1, "to its last sample, and a moment for the far end"
    assert failovers(tried) == ["begun", "over"]
    assert [e["payload"]["text"] for e in tried["events"] if e["kind"] == "transcript"] == [CLOSED["text"]]
    assert not tried["cut_short"]


@pytest.mark.parametrize("trigger", [trigger.value for trigger in Trigger])
async def test_switched_off(at: Rehearsing, trigger: str) -> None:
    """Without what the agent can do without, it answers; else the caller hears the default error message."""
    await at.agent(enabled=False)
    tried = await at.tried(trigger)
    assert tried["agent_answers"] == (Trigger(trigger) not in COST_THE_CALL)
    if tried["agent_answers"]:
        assert (tried["audio_id"], tried["events"]) == (None, [])
    else:
        assert (tried["status"], tried["action"], tried["outcome"]) == ("failed", None, None)
        assert await at.heard(tried) == [LEVELS[SORRY["text"]]]


async def test_during_call_has_a_switch_of_its_own(at: Rehearsing) -> None:
    await at.agent(failover={"enabled": True, "action": CLOSED, "during_call": False})
    tried = await at.tried("during_call")
    assert tried["status"] == "failed"
    assert await at.heard(tried) == [LEVELS[SORRY["text"]]]


async def test_the_installations_switch_is_told_and_taken_as_on(at: Rehearsing) -> None:
    await at.agent()
    assert not (await at.tried())["installation_on"]
    settings = at.calls.directory.settings.model_copy(update={"failover_enabled": True})
    at.live(settings=settings)
    assert (await at.tried())["installation_on"]


@pytest.mark.parametrize(
    ("destination", "detail", "outcome"),
    [
        ("answered", "", "transferred"),
        ("busy", "busy", "default_error_message"),
        ("no_answer", "no_answer, rang for 20 s", "default_error_message"),
        ("unreachable", "unreachable", "default_error_message"),
    ],
)
async def test_a_transfer_rings_nobody(at: Rehearsing, destination: str, detail: str, outcome: str) -> None:
    await at.connection()
    await at.agent(PHONE)
    tried = await at.tried(destination=destination)
    assert (tried["status"], tried["action"], tried["outcome"]) == ("failover", "transfer", outcome), tried
    legs = [e["payload"] for e in tried["events"] if e["kind"] == "leg"]
    assert legs[0] == {"leg": "destination", "event": "dialled", "to": "+33123456780", "connection": "trunk"}
    heard = await at.heard(tried)
    if detail:
        (failed,) = [e["payload"] for e in tried["events"] if e["payload"].get("event") == "failed"]
        assert detail in failed["detail"]
        assert heard == [LEVELS[SORRY["text"]]]
    else:
        assert tried["ended_by"] == "destination"
        assert not heard, "whoever answers says nothing"
        assert 1.5 <= tried["seconds"] <= 4


async def test_a_transfer_with_no_way_out(at: Rehearsing) -> None:
    await at.agent(PHONE)
    tried = await at.tried()
    assert tried["outcome"] == "default_error_message"
    (failed,) = [e["payload"] for e in tried["events"] if e["payload"].get("event") == "failed"]
    assert "There is no SIP connection to call over" in failed["detail"]


async def test_a_number_that_may_not_be_called_is_not(at: Rehearsing) -> None:
    await at.connection()
    settings = at.calls.directory.settings.model_copy(update={"refused_prefixes": ["+331"]})
    at.live(settings=settings)
    await at.agent(PHONE)
    tried = await at.tried()
    (failed,) = [e["payload"] for e in tried["events"] if e["payload"].get("event") == "failed"]
    assert "refused_by_policy" in failed["detail"]


async def test_a_workflow_really_runs(at: Rehearsing) -> None:
    await at.connection()
    await at.workflow({"failover_action": PHONE})
    await at.agent({"type": "workflow", "workflow_id": "decides"})
    tried = await at.tried("pre_call_timeout", destination="busy")
    assert (tried["action"], tried["outcome"]) == ("workflow", "default_error_message")
    assert await at.heard(tried) == [LEVELS[SORRY["text"]]]
    assert [e["payload"]["to"] for e in tried["events"] if e["payload"].get("event") == "dialled"] == ["+33123456780"]
    (ran,) = tried["runs"]
    kept = (await at.http.get(f"/v1/workflows/decides/runs/{ran['run_id']}")).json()
    assert (kept["call_id"], kept["trigger"], kept["status"]) == (None, "failover", "ok")


async def test_a_workflow_without_an_action(at: Rehearsing) -> None:
    await at.workflow({})
    await at.agent({"type": "workflow", "workflow_id": "decides"})
    tried = await at.tried()
    assert (tried["status"], tried["outcome"]) == ("failover", "ended")


# -- before it is saved --------------------------------------------------------------------------------------------


async def test_what_is_not_saved_is_what_is_tried(at: Rehearsing) -> None:
    await at.agent(enabled=False)
    files = sorted(at.folder.iterdir())
    unsaved = {"enabled": True, "action": CHANGED}
    for _ in range(2):
        tried = await at.tried("agent_unavailable", failover=unsaved)
        assert (tried["status"], tried["outcome"]) == ("failover", "played")
        assert await at.heard(tried) == [LEVELS[CHANGED["text"]]]
    assert at.voices.made == [CHANGED["text"]], "made once"
    saved = (await at.http.get("/v1/agents/accueil/failover")).json()
    assert saved["failover"]["action"] == CLOSED
    assert sorted(at.folder.iterdir()) == files, "nothing is written"
    tried = await at.tried("during_call", failover=unsaved)  # no message of its own with it: the built-in one
    assert await at.heard(tried) == [BUILT_IN_LEVEL]


async def test_an_agent_that_was_never_published(at: Rehearsing) -> None:
    await at.stage.agent(publish=False, language="fr-FR", failover={"enabled": True, "action": CLOSED})
    assert await at.heard(await at.tried()) == [LEVELS[CLOSED["text"]]]


async def test_a_provider_that_is_down_leaves_the_built_in_voice(at: Rehearsing) -> None:
    await at.agent()
    at.voices.broken = True
    tried = await at.tried(failover={"enabled": True, "action": CHANGED})
    assert (tried["outcome"], await at.heard(tried)) == ("played", [BUILT_IN_LEVEL])


# -- nothing is left -----------------------------------------------------------------------------------------------


async def test_nothing_of_it_is_a_call(at: Rehearsing) -> None:
    await at.agent()
    await at.tried()
    assert (await at.http.get("/v1/calls")).json()["items"] == []
    assert not list(at.stage.recordings.iterdir())
    assert b"parlons_calls_total{" not in at.metrics.render()
    assert b"parlons_call_setup_seconds_count 0.0" in at.metrics.render()
    entries = (await at.http.get("/v1/audit")).json()["items"]
    assert entries[0]["action"] == "agent.try_failover"


async def test_a_long_message_is_cut_short(at: Rehearsing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "MAX_AUDIO_SECONDS", 0.2)
    await at.agent()
    tried = await at.tried()
    assert (tried["cut_short"], tried["outcome"]) == (True, "stopped")
    assert tried["seconds"] == pytest.approx(0.2, abs=0.02)


async def test_recordings_are_forgotten(at: Rehearsing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "MAX_KEPT", 2)
    await at.agent()
    await at.stage.agent("autre")
    kept = [(await at.tried())["audio_id"] for _ in range(3)]
    path = "/v1/agents/accueil/failover/try"
    assert [(await at.http.get(f"{path}/{i}")).status_code for i in kept] == [404, 200, 200]
    assert (await at.http.get(f"/v1/agents/autre/failover/try/{kept[2]}")).status_code == 404
    monkeypatch.setattr(rehearsal, "KEPT_SECONDS", -1.0)
    assert (await at.http.get(f"{path}/{kept[2]}")).status_code == 404
    assert not at.rehearsals._kept


# -- messages alone ------------------------------------------------------------------------------------------------


async def test_messages_as_callers_hear_them(at: Rehearsing) -> None:
    await at.agent()
    path = "/v1/agents/accueil/failover/speech"
    assert levels(await at.http.get(f"{path}/message")) == [LEVELS[CLOSED["text"]]]
    assert levels(await at.http.get(f"{path}/default_error_message")) == [LEVELS[SORRY["text"]]]
    assert levels(await at.http.get(f"{path}/installation_error_message")) == [BUILT_IN_LEVEL]
    unsaved = {"text": CHANGED["text"], "language": "fr-FR"}
    assert levels(await at.http.post(path, json=unsaved)) == [LEVELS[CHANGED["text"]]]
    assert at.voices.made == [CHANGED["text"]]


async def test_the_installations_message(at: Rehearsing) -> None:
    await at.agent(default_error_message=None)
    said = SpokenText(text=CHANGED["text"], language="fr-FR")
    at.live(settings=at.calls.directory.settings.model_copy(update={"default_error_message": said}))
    for which in ("default_error_message", "installation_error_message"):
        heard = levels(await at.http.get(f"/v1/agents/accueil/failover/speech/{which}"))
        assert heard == [LEVELS[CHANGED["text"]]]


async def test_a_failover_that_says_nothing_has_no_message(at: Rehearsing) -> None:
    await at.agent(PHONE)
    assert (await at.http.get("/v1/agents/accueil/failover/speech/message")).status_code == 404
    assert (await at.http.get("/v1/agents/accueil/failover/speech/greeting")).status_code == 422


@pytest.mark.parametrize("text", ["", "Bonjour {{ name }}.", "x" * 3000])
async def test_what_cannot_be_a_message_is_not_said(at: Rehearsing, text: str) -> None:
    await at.agent()
    answer = await at.http.post("/v1/agents/accueil/failover/speech", json={"text": text, "language": "fr-FR"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] in ("text", "")


def test_the_built_in_messages_have_a_level_of_their_own() -> None:
    assert not {message.text for message in BUILT_IN.values()} & set(LEVELS)

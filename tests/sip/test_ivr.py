"""Other people's menus, hold music and answering machines: agents that call them, with a scripted model.

Every case is one call to a telephone of its own; all are played at the same time. ``IVR_HOLD_SECONDS`` makes the hold
longer than the suite can afford.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.sip import agents
from tests.sip.ivr_peer import Menu, Method, answering_machine, packets_a_key
from tests.sip.talking import SAME_WORDS, sounds_like
from tests.sip.transfer_model import AgentsModel, prompt, tool_results
from tests.support.phone import Phone
from tests.support.phone_call import Call
from tests.support.providers.base import Reply
from tests.support.server import ParlonsServer, free_port

pytestmark = pytest.mark.peer

HOLD_SECONDS = float(os.environ.get("IVR_HOLD_SECONDS", "15"))
KEYS = "2#"
HUNDRED = "".join(str(number % 10) for number in range(100))
MESSAGE = "Bonjour, ici le laboratoire : vos résultats sont arrivés. Au revoir."
ANSWERS = {"fr": "Bonjour, je voudrais un rendez-vous.", "en": "Hello, I would like an appointment."}
LANGUAGES = {"fr": "fr-FR", "en": "en-GB"}
ACTIONS = [
    {"type": "keypad", "name": "Interaction clavier"},
    {"type": "wait", "name": "Attendre", "max_wait_seconds": 300},
]
WAIT = ("attendre", "{}")


def press(keys: str) -> tuple[str, str]:
    return "interaction_clavier", json.dumps({"keys": keys})


def through_a_menu(language: str) -> list[Reply]:
    """Wait for the menu, press and wait for the human, answer."""
    both = Reply(tool_calls=[press("2w#"), WAIT])
    return [Reply(tool_calls=[WAIT]), both, Reply(text=ANSWERS[language])]


MENUS: dict[str, tuple[str, Method]] = {
    "menu_fr": ("fr", "rfc4733"),
    "menu_en": ("en", "rfc4733"),
    "menu_info": ("fr", "info"),
    "menu_inband": ("fr", "inband"),
}
SCRIPT: dict[str, list[Reply]] = {
    **{name: through_a_menu(language) for name, (language, _) in MENUS.items()},
    "hundred": [Reply(tool_calls=[press(HUNDRED[at : at + 32]) for at in range(0, 100, 32)])],
    "voicemail": [Reply(tool_calls=[WAIT]), Reply(tool_calls=[WAIT]), Reply(text=MESSAGE)],
}


def _configuration(port: int) -> dict[str, Any]:
    base = {"model": "m", "base_url": f"http://127.0.0.1:{port}/v1", "api_key": "${LAB_KEY}"}
    made = {}
    for name in SCRIPT:
        language = LANGUAGES[MENUS[name][0] if name in MENUS else "fr"]
        made[name] = agents.agent(
            name=name,
            direction="outbound",
            language=language,
            greeting=None,
            prompt=prompt(name),
            silence_check_seconds=5,
            providers={"llm": {"type": "openai", **base}, "stt": {"type": "openai", **base}},
            actions=ACTIONS,
            default_error_message={"text": agents.APOLOGY, "language": language},
        )
    return {"agents": made}


@dataclass
class Played:
    """What became of every call."""

    server: ParlonsServer
    model: AgentsModel
    calls: dict[str, Call] = field(default_factory=dict)
    menus: dict[str, Menu] = field(default_factory=dict)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: dict[str, BaseException] = field(default_factory=dict)
    beep_over: float = 0.0

    def judge(self, name: str) -> dict[str, Any]:
        """The call's record; raises what went wrong in it."""
        if name in self.faults:
            raise self.faults[name]
        return self.records[name]

    def events(self, name: str, kind: str, **payload: Any) -> list[dict[str, Any]]:
        found = [e for e in self.server.timeline(self.records[name]["id"]) if e["kind"] == kind]
        return [e["payload"] | {"at_ms": e["at_ms"]} for e in found if payload.items() <= e["payload"].items()]


async def _play(played: Played) -> None:
    server = played.server
    await asyncio.to_thread(server.wait_providers)

    async def one(name: str, hear: Callable[[Call], Awaitable[None]]) -> None:
        try:
            async with Phone(user=name) as phone:
                call_id = await asyncio.to_thread(server.place, name, phone.uri)
                call = played.calls[name] = await asyncio.wait_for(phone.incoming.get(), 5)
                call.ring()
                await hear(call)
                if not call.ended.is_set():
                    await call.bye()
                played.records[name] = await asyncio.to_thread(server.outcome, call_id)
        except Exception as error:
            played.faults[name] = error

    async def menu(name: str, call: Call) -> None:
        played.menus[name] = Menu(call, *MENUS[name])
        await played.menus[name].play(KEYS, HOLD_SECONDS)

    async def hundred(call: Call) -> None:
        await call.answer()
        await call.rtp.wait_digits(100, 40)
        await asyncio.sleep(1.0)

    async def voicemail(call: Call) -> None:
        played.beep_over = await answering_machine(call)

    async with asyncio.TaskGroup() as group:
        for name in MENUS:
            group.create_task(one(name, lambda call, name=name: menu(name, call)))  # type: ignore[misc]
        group.create_task(one("hundred", hundred))
        group.create_task(one("voicemail", voicemail))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Every call, played."""
    port = free_port(socket.SOCK_STREAM)
    folder: Path = tmp_path_factory.mktemp("ivr")
    environment = {"LAB_KEY": "test-key"}

    async def all_of_it(server: ParlonsServer) -> Played:
        script = {name: list(replies) for name, replies in SCRIPT.items()}
        async with AgentsModel(script | {"transcriptions": [Reply(text="des paroles")]}, port=port) as model:
            played = Played(server, model)
            await _play(played)
            return played

    with ParlonsServer(folder, _configuration(port), rtp_ports=range(37100, 37200), environment=environment) as server:
        yield asyncio.run(all_of_it(server))
        server.assert_no_bug()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", MENUS)
def test_a_menu_heard_whole_then_keys_then_music_then_a_human(played: Played, name: str) -> None:
    record, menu = played.judge(name), played.menus[name]
    language, method = MENUS[name]
    assert menu.pressed == KEYS
    assert menu.spoke_early() == [], "the agent spoke before the human did"
    first = next(at for at in menu.answers if at > menu.human_over)
    assert first - menu.human_over < 5.0
    assert sounds_like(menu.call.rtp.heard(menu.human_over), ANSWERS[language], language) > SAME_WORDS
    requests = played.model.of(name)
    assert len(requests) == 3, "the model was asked at the start, after the whole menu, and by the human"
    heard = [m["content"] for m in requests[-1].body["messages"] if m["role"] == "user"]
    assert len([words for words in heard if "paroles" in words]) == 2
    told = [text.partition(".")[0] for text in tool_results(requests[-1])]
    assert sorted(told) == ["Pressed", "Waiting", "Waiting"]
    outcomes = [e["outcome"] for e in played.events(name, "action_finished")]
    assert outcomes == ["heard", "sent", "heard"]
    sent = list(played.events(name, "dtmf"))
    assert [(e["digits"], e["method"]) for e in sent] == [(KEYS, method)]
    assert played.events(name, "silence_check") == []
    assert played.events(name, "never_silent") == []
    assert record["status"] == "completed"


def test_a_hundred_keys_are_counted_by_the_far_end(played: Played) -> None:
    played.judge("hundred")
    call = played.calls["hundred"]
    assert "".join(call.rtp.digits) == HUNDRED
    assert packets_a_key(call) == [7] * 100, "five steps, and the end three times"
    assert [e["outcome"] for e in played.events("hundred", "action_finished")] == ["sent"] * 4


def test_an_answering_machine_gets_the_message_after_its_beep(played: Played) -> None:
    record = played.judge("voicemail")
    call = played.calls["voicemail"]
    assert [at for at in call.rtp.speech_at if at < played.beep_over] == [], "it talked over the greeting"
    assert sounds_like(call.rtp.heard(played.beep_over), MESSAGE) > SAME_WORDS
    assert call.ended_by == "peer", "the agent did not hang up"
    (found,) = played.events("voicemail", "leg", event="voicemail")
    assert found["frequency_hz"] == pytest.approx(1000, abs=10)
    asked = json.dumps(played.model.of("voicemail")[-1].body["messages"])
    assert "answering machine" in asked
    assert (record["status"], record["ended_by"]) == ("voicemail", "agent")

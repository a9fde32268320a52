"""One agent hands a call over to another: the history goes along, the voice and the instructions change."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from parlons.agents.models import Agent
from parlons.calls.call import Call
from parlons.calls.directory import LiveAgent
from parlons.calls.timeline import CallStatus, Kind
from parlons.errors import ProviderUnusable
from parlons.telephony.media.recorder import Recorder
from tests.calls.test_call import Scene
from tests.conversation.test_path import path, prompt, transition
from tests.support.fakes import Call as Asks
from tests.support.fakes import FakeLLM, FakeVAD
from tests.support.virtual_time import run


@pytest.fixture(autouse=True)
def _fake_vad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parlons.conversation.session.new_detector", lambda _end_of_speech_ms: FakeVAD())


def to(agent_id: str) -> dict[str, Any]:
    return {"type": "transfer", "name": f"Vers {agent_id}", "description": "Passe.", "target_agent_id": agent_id}


def other(agent_id: str, **fields: Any) -> dict[str, LiveAgent]:
    agent = Agent.model_validate({"name": agent_id, "language": "en-GB", "prompt": f"You are {agent_id}.", **fields})
    return {agent_id: LiveAgent(agent_id, 7, agent)}


def spoken(scene: Scene) -> list[str]:
    return [e.payload["text"] for e in scene.writer.events if e.kind is Kind.TRANSCRIPT and e.actor == "agent"]


def outcomes(scene: Scene) -> list[str]:
    return [e.payload["outcome"] for e in scene.writer.events if e.kind is Kind.ACTION_FINISHED]


def _steps(scene: Scene) -> list[str]:
    return [e.payload["step"] for e in scene.writer.events if e.kind is Kind.STEP_ENTERED]


async def _until(condition: Any, seconds: float = 40.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 (virtual time)
            await asyncio.sleep(0.05)


def test_a_hand_over_and_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = Scene(tmp_path, actions=[to("sales")])
        scene.others = other("sales", actions=[to("a")]) | {"a": LiveAgent("a", 3, scene.agent)}
        scene.model = FakeLLM(
            Asks("vers_sales", text="Je vous passe les ventes."), "Sales here.", Asks("vers_a"), "Rebonjour."
        )

        async def meanwhile(_call: Call) -> None:
            await _until(lambda: spoken(scene) == ["Bonjour."])
            await scene.port.caller_says("Les ventes.")
            await _until(lambda: "Sales here." in spoken(scene))
            await asyncio.sleep(1)
            await scene.port.caller_says("Back please.")
            await _until(lambda: spoken(scene).count("Bonjour.") == 2)
            scene.leg.peer_hangs_up()

        record = await scene.call(meanwhile)
        assert (record.status, record.ended_by) == (CallStatus.COMPLETED, "caller")
        assert spoken(scene) == ["Bonjour.", "Je vous passe les ventes.", "Sales here.", "Bonjour."]
        changes = [e.payload for e in scene.writer.events if e.kind is Kind.AGENT]
        assert changes == [
            {"agent": "sales", "version": 7, "language": "en-GB"},
            {"agent": "a", "version": 3, "language": "fr-FR"},
        ]
        assert len(scene.voices) == 3, "each agent speaks with a voice of its own"
        shown = scene.model.asked[1]
        system = "\n".join(m.text_content or "" for m in shown.messages() if m.role == "system")
        assert "You are sales." in system
        assert "English" in system
        assert ("user", "Les ventes.") in [(m.role, m.text_content) for m in shown.messages()]
        assert "vers_a" in scene.model.tools[1]
        assert "vers_sales" not in scene.model.tools[1]

    run(scenario())


def test_the_caller_leaves_as_the_call_is_handed_over(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = Scene(tmp_path, actions=[to("sales")])
        scene.others = other("sales")
        scene.model = FakeLLM(Asks("vers_sales", text="Je vous passe tout de suite les ventes, un instant."))

        async def meanwhile(_call: Call) -> None:
            await _until(lambda: spoken(scene) == ["Bonjour."])
            await scene.port.caller_says("Les ventes.")
            await _until(lambda: Kind.ACTION_STARTED in scene.kinds())
            scene.leg.peer_hangs_up()

        record = await scene.call(meanwhile)
        assert record.status is CallStatus.COMPLETED
        assert Kind.AGENT not in scene.kinds()

    run(scenario())


@pytest.mark.parametrize("why", ["unknown", "inactive", "unusable"])
def test_an_agent_that_cannot_take_over_leaves_the_call_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    async def scenario() -> None:
        scene = Scene(tmp_path, actions=[to("sales")])
        scene.others = {} if why == "unknown" else other("sales", active=why != "inactive")
        scene.model = FakeLLM(Asks("vers_sales"), "Ce n'est pas possible.")
        build = scene.providers

        def providers(agent: Agent, rate: int) -> Any:
            if agent.name == "sales" and why == "unusable":
                raise ProviderUnusable("No key.", hint="Set it.")
            return build(agent, rate)

        monkeypatch.setattr(scene, "providers", providers)

        async def meanwhile(_call: Call) -> None:
            await _until(lambda: spoken(scene) == ["Bonjour."])
            await scene.port.caller_says("Les ventes.")
            await _until(lambda: spoken(scene)[-1] == "Ce n'est pas possible.")
            scene.leg.peer_hangs_up()

        await scene.call(meanwhile)
        assert outcomes(scene) == ["unreachable" if why == "unusable" else "invalid_destination"]
        assert len(scene.voices) == 1

    run(scenario())


def test_three_hand_overs_and_no_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = Scene(tmp_path, actions=[to("b")])
        ring = {"a": LiveAgent("a", 1, scene.agent)} | other("b", actions=[to("a")], greeting="Hello.")
        scene.others = ring
        asks = [Asks("vers_b"), Asks("vers_a"), Asks("vers_b"), Asks("vers_a")]
        scene.model = FakeLLM(*asks, "I stay.")

        async def meanwhile(_call: Call) -> None:
            for greetings in range(1, 5):
                await _until(lambda n=greetings: len(spoken(scene)) == n)
                await asyncio.sleep(1)
                await scene.port.caller_says("Encore.")
            await _until(lambda: spoken(scene)[-1] == "I stay.")
            scene.leg.peer_hangs_up()

        await scene.call(meanwhile)
        assert outcomes(scene) == ["answered"] * 3 + ["refused_by_policy"]

    run(scenario())


def test_the_longest_duration_counts_all_agents_together(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = Scene(tmp_path, actions=[to("sales")], max_call_seconds=100)
        scene.others = other("sales", max_call_seconds=100, silence_check_seconds=60)
        scene.model = FakeLLM(Asks("vers_sales"), "Sales here.")
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def meanwhile(_call: Call) -> None:
            await _until(lambda: spoken(scene) == ["Bonjour."])
            await asyncio.sleep(5)
            await scene.port.caller_says("Les ventes.")

        record = await scene.call(meanwhile)
        assert record.end_reason == "max_call_seconds"
        assert 95 <= loop.time() - began <= 115

    run(scenario())


def test_two_hand_overs_in_one_answer_are_one(tmp_path: Path) -> None:
    async def scenario() -> None:
        scene = Scene(tmp_path, actions=[to("sales")])
        scene.others = other("sales")
        scene.model = FakeLLM(Asks("vers_sales", times=2), otherwise="Sales here.")

        async def meanwhile(_call: Call) -> None:
            await _until(lambda: spoken(scene) == ["Bonjour."])
            await scene.port.caller_says("Les ventes.")
            await _until(lambda: "Sales here." in spoken(scene))
            scene.leg.peer_hangs_up()

        await scene.call(meanwhile)
        assert sorted(outcomes(scene)) == ["answered", "refused_by_policy"]
        assert len(scene.voices) == 2

    run(scenario())


def test_the_recording_is_silent_through_a_sensitive_step(tmp_path: Path) -> None:
    async def scenario() -> None:
        steps = path(
            prompt("a", transition("go", "secret")),
            prompt("secret", transition("done", "b"), sensitive=True),
            prompt("b"),
        )
        scene = Scene(tmp_path, record_audio=True, path=steps)
        scene.model = FakeLLM(Asks("go"), "Votre code ?", Asks("done"), "Merci.")
        muted: list[bool] = []

        async def meanwhile(_call: Call) -> None:
            def note() -> None:
                recorder = getattr(scene.port.tap, "__self__", None)
                assert isinstance(recorder, Recorder)
                muted.append(recorder.muted)

            await _until(lambda: spoken(scene) == ["Bonjour."])
            note()
            await scene.port.caller_says("Allez.")
            await _until(lambda: _steps(scene)[-1] == "secret")
            await asyncio.sleep(2)
            note()
            await scene.port.caller_says("Quatre trois deux un.")
            await _until(lambda: "Merci." in spoken(scene))
            note()
            scene.leg.peer_hangs_up()

        record = await scene.call(meanwhile)
        assert muted == [False, True, False]
        assert spoken(scene) == ["Bonjour.", "Merci."]
        assert "Quatre" not in repr([e.payload for e in scene.writer.events])
        assert "path" not in record.context

    run(scenario())

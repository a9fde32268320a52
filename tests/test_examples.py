"""The example folders: valid as they are, and the one with a path walked in text by the built-in rules."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from parlons import configuration
from parlons.agents.context import CallContext, system_variables
from parlons.calls.chat_world import ChatLine
from parlons.calls.timeline import Kind, Timeline
from parlons.conversation.actions import transfer
from parlons.conversation.line import TransferResult
from parlons.conversation.outside import Outside
from parlons.conversation.providers import registry
from parlons.conversation.session import Conversation
from parlons.telephony.types import Outcome
from tests.support.virtual_time import run

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize("folder", sorted(p.parent for p in EXAMPLES.glob("*/agents")), ids=lambda folder: folder.name)
def test_an_example_is_a_valid_configuration(folder: Path) -> None:
    loaded = configuration.load(folder)
    assert loaded.files


@pytest.mark.parametrize(
    ("now", "steps"),
    [
        ("2026-11-23 10:00", ["accueil", "jour", "tri", "mercredi", "joindre"]),
        ("2026-11-21 10:00", ["accueil", "jour", "tri", "mercredi", "joindre", "noter"]),
    ],
    ids=["open", "closed"],
)
def test_the_surgery_is_walked_in_text(monkeypatch: pytest.MonkeyPatch, now: str, steps: list[str]) -> None:
    agent = configuration.check_file(EXAMPLES / "rendez-vous/agents/cabinet.yaml")
    monkeypatch.setattr(transfer, "current_time", lambda zone: datetime.fromisoformat(now).replace(tzinfo=zone))

    async def scenario() -> None:
        system = system_variables(
            call_id="c",
            agent_id="cabinet",
            direction="inbound",
            language="fr-FR",
            timezone="Europe/Paris",
            phone="",
            anonymous=True,
            now=datetime(2026, 11, 23, 10, tzinfo=ZoneInfo("Europe/Paris")),
        )
        timeline = Timeline()
        conversation = Conversation(
            agent=agent,
            agent_id="cabinet",
            context=CallContext(system=system),
            providers=registry.build(agent, environ={}),
            timeline=timeline,
            audio=None,
            outside=Outside(line=ChatLine(timeline, lambda _agent: TransferResult(Outcome.ANSWERED))),
        )
        try:
            await conversation.start()
            assert await conversation.type("quels sont vos horaires") == [
                "Cabinet médical, bonjour. Que puis-je faire pour vous ?",
                "Nous sommes ouverts de neuf heures à dix-huit heures, du lundi au vendredi.",
            ]
            assert await conversation.type("je voudrais un rendez-vous") == ["Très bien. Quel jour vous conviendrait ?"]
            await conversation.type("mercredi")
            end = await conversation.wait()
            assert end.why == ("transferred" if len(steps) == 5 else "step noter")
        finally:
            await conversation.close()
        assert [e.payload["step"] for e in timeline.events if e.kind is Kind.STEP_ENTERED] == steps

    run(scenario())

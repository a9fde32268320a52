"""The last resort must always be playable."""

from __future__ import annotations

from pathlib import Path

from parlons.agents.common import SpokenText
from parlons.agents.connections import InstallationSettings
from parlons.agents.models import Agent
from parlons.calls.messages import BUILT_IN, MessageBank, default_error_message

OWN = SpokenText(text="Own", language="fr-FR")
HOUSE = SpokenText(text="House", language="en-GB")


class Voice:
    def __init__(self) -> None:
        self.said: list[str] = []

    async def __call__(self, text: str, language: str) -> bytes:
        self.said.append(text)
        return text.encode().ljust(100, b"\0")


def test_precedence() -> None:
    agent = Agent.model_validate({"name": "a", "language": "fr-CA"})
    assert default_error_message(agent.model_copy(update={"default_error_message": OWN}), InstallationSettings()) is OWN
    assert default_error_message(agent, InstallationSettings(default_error_message=HOUSE)) is HOUSE
    assert default_error_message(agent, InstallationSettings()) is BUILT_IN["fr"]
    german = Agent.model_validate({"name": "a", "language": "de-DE"})
    assert default_error_message(german, InstallationSettings()) is BUILT_IN["en"]


async def test_made_once_kept_on_disk_and_made_again_when_lost(tmp_path: Path) -> None:
    voice = Voice()
    bank = MessageBank(tmp_path / "messages", voice)
    await bank.prepare(OWN)
    await bank.prepare(OWN)
    after_restart = MessageBank(tmp_path / "messages", voice)
    await after_restart.prepare(OWN)
    assert voice.said == ["Own"]
    assert after_restart.get(OWN) == bank.get(OWN) != b""
    [stored] = (tmp_path / "messages").glob("*.pcm")
    stored.write_bytes(b"odd")  # a sample is two bytes: this file was cut
    repaired = MessageBank(tmp_path / "messages", voice)
    await repaired.prepare(OWN)
    assert repaired.get(OWN) == bank.get(OWN)
    assert voice.said == ["Own", "Own"]


async def test_a_message_never_prepared_falls_back_to_the_built_in_one(tmp_path: Path) -> None:
    bank = MessageBank(tmp_path, Voice())
    await bank.prepare(BUILT_IN["en"])
    assert bank.get(OWN) == bank.get(BUILT_IN["en"]) != b""

"""The last resort must always be playable: whatever the provider, the disk or a restart does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from parlons.agents.common import SpokenText
from parlons.agents.connections import InstallationSettings
from parlons.agents.models import Agent
from parlons.calls import messages
from parlons.calls.messages import BUILT_IN, MessageBank
from parlons.errors import ProviderError

OWN = SpokenText(text="Own", language="fr-FR")
HOUSE = SpokenText(text="House", language="en-GB")
NOTHING = InstallationSettings()


class Voices:
    """Says who speaks and what."""

    def __init__(self, *, down: bool = False) -> None:
        self.down = down
        self.asked: list[str] = []

    def key(self, agent: Agent, message: SpokenText) -> str:
        return f"{agent.providers.tts[0].type} {message.language} {message.text}"

    async def own(self, _agent: Agent, message: SpokenText) -> bytes:
        self.asked.append(message.text)
        if self.down:
            raise ProviderError("No speech provider could say it.")
        return f"own {message.text}".encode().ljust(50, b"\0")

    async def built_in(self, message: SpokenText) -> bytes:
        return f"built-in {message.text}".encode().ljust(90, b"\0")


def agent(default: SpokenText | None = OWN, language: str = "fr-FR", says: str = "", tts: str = "openai") -> Agent:
    failover = {"enabled": True, "action": {"type": "message", "text": says, "language": language}} if says else {}
    return Agent.model_validate(
        {
            "name": "a",
            "language": language,
            "failover": failover,
            "providers": {"tts": {"type": tts}},
            "default_error_message": None if default is None else default.model_dump(),
        }
    )


async def bank_of(
    folder: Path, voices: Voices, *agents: Agent, settings: InstallationSettings = NOTHING
) -> MessageBank:
    bank = MessageBank(folder / "messages", voices)
    await bank.start()
    await bank.prepare(agents, settings)
    return bank


def heard(bank: MessageBank, who: Agent, settings: InstallationSettings = NOTHING) -> str:
    return bank.default_error(who, settings)[1].rstrip(b"\0").decode()


async def test_precedence(tmp_path: Path) -> None:
    house = InstallationSettings(default_error_message=HOUSE)
    plain, german = agent(None, "fr-CA"), agent(None, "de-DE")
    bank = await bank_of(tmp_path, Voices(), agent(), plain, german, settings=house)
    assert heard(bank, agent(), house) == "own Own"
    assert heard(bank, plain, house) == "own House"
    assert heard(bank, plain) == f"built-in {BUILT_IN['fr'].text}"
    assert heard(bank, german) == f"built-in {BUILT_IN['en'].text}"


async def test_made_once_kept_on_disk_and_found_after_a_restart(tmp_path: Path) -> None:
    voices, one = Voices(), agent(says="Closed.")
    bank = await bank_of(tmp_path, voices, one)
    await bank.prepare([one], NOTHING)
    after_restart = await bank_of(tmp_path, voices, one)
    assert sorted(voices.asked) == ["Closed.", "Own"]
    action = one.failover.action
    assert isinstance(action, SpokenText)
    assert after_restart.get(one, action) == bank.get(one, action) != b""


@pytest.mark.parametrize("damage", [b"odd", b"\0" * 4000, b""])
async def test_damaged_audio_is_never_played_but_made_again(tmp_path: Path, damage: bytes) -> None:
    voices = Voices()
    await bank_of(tmp_path, voices, agent())
    [stored] = (tmp_path / "messages").iterdir()
    stored.write_bytes(damage)
    assert heard(await bank_of(tmp_path, voices, agent()), agent()) == "own Own"
    assert voices.asked == ["Own", "Own"]


async def test_audio_deleted_while_the_process_runs_is_still_played(tmp_path: Path) -> None:
    bank = await bank_of(tmp_path, Voices(), agent())
    for stored in (tmp_path / "messages").iterdir():
        stored.unlink()
    assert heard(bank, agent()) == "own Own"


async def test_a_provider_that_is_down_is_replaced_at_once_and_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voices = Voices(down=True)
    bank = await bank_of(tmp_path, voices, agent())
    assert heard(bank, agent()) == "built-in Own"
    assert not list(tmp_path.glob("messages/*")), "what the built-in voice said is not kept as the agent's own"
    monkeypatch.setattr(messages, "RETRY_SECONDS", 0.01)
    trying = asyncio.ensure_future(bank.keep_trying())
    try:
        await asyncio.sleep(0.05)
        assert heard(bank, agent()) == "built-in Own"
        voices.down = False
        async with asyncio.timeout(5):
            while heard(bank, agent()) != "own Own":  # noqa: ASYNC110 (a thread writes the file)
                await asyncio.sleep(0.01)
    finally:
        trying.cancel()
    assert heard(await bank_of(tmp_path, voices, agent()), agent()) == "own Own"


async def test_a_provider_that_is_down_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MAX_AT_ONCE", 1)
    voices = Voices(down=True)
    many = [agent(SpokenText(text=f"Own {n}", language="fr-FR")) for n in range(20)]
    bank = await bank_of(tmp_path, voices, *many)
    assert len(voices.asked) == 1
    assert heard(bank, many[19]) == "built-in Own 19"


async def test_a_disk_that_takes_nothing_costs_nothing_now(tmp_path: Path) -> None:
    (tmp_path / "messages").write_text("a file where the folder should be")
    assert heard(await bank_of(tmp_path, Voices(), agent()), agent()) == "own Own"


async def test_what_nobody_says_any_more_is_forgotten(tmp_path: Path) -> None:
    bank = await bank_of(tmp_path, Voices(), agent(says="Closed."))
    await bank.prepare([agent(says="Open.")], NOTHING)
    assert len(list((tmp_path / "messages").iterdir())) == 2
    assert heard(bank, agent()) == "own Own"


async def test_an_agent_whose_message_was_never_prepared_has_the_built_in_one(tmp_path: Path) -> None:
    bank = await bank_of(tmp_path, Voices())
    assert heard(bank, agent()) == f"built-in {BUILT_IN['fr'].text}"

"""Pronunciations, phrases, prompts and keys: the small pure parts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlons.conversation.keypad import MAX_DIGITS, Keypad
from parlons.conversation.phrases import phrases_for
from parlons.conversation.plan import first_plan, hang_up_policy
from parlons.conversation.prompt import instructions, plain_arguments
from parlons.conversation.pronunciation import Pronunciations
from parlons.conversation.vad import new_detector
from tests.conversation.calls import agent, hang_up_action
from tests.support.virtual_time import run

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "kg": "kilogrammes",
    "US": "u esse",
    "cm": {"fr-FR": "centimètres", "en-GB": "centimetres"},
    "Acme SARL": "acmé",
    "n°": "numéro",
}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2 kg de riz", "2 kilogrammes de riz"),
        ("2 KG.", "2 kilogrammes."),
        ("le kgb", "le kgb"),
        ("us et US", "us et u esse"),
        ("10 cm", "10 centimètres"),
        ("chez Acme SARL.", "chez acmé."),
        ("le n° 3", "le numéro 3"),
        ("", ""),
    ],
)
def test_pronunciations(text: str, said: str) -> None:
    assert Pronunciations(WORDS, "fr-FR").apply(text) == said


def test_pronunciations_by_language() -> None:
    assert Pronunciations(WORDS, "en-US").apply("cm") == "centimetres"
    assert Pronunciations(WORDS, "de-DE").apply("cm") == "cm"


async def _pieces(pieces: list[str]) -> AsyncIterator[str]:
    for piece in pieces:
        yield piece


@given(st.text("kgcmUS AeSARL.1°n", max_size=60), st.lists(st.integers(1, 7), max_size=30))
def test_a_stream_may_break_anywhere(text: str, cuts: list[int]) -> None:
    pronunciations = Pronunciations(WORDS, "fr-FR")
    pieces, rest = [], text
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    pieces.append(rest)

    async def scenario() -> str:
        return "".join([piece async for piece in pronunciations.stream(_pieces(pieces))])

    assert run(scenario()) == pronunciations.apply(text)


def test_a_stream_holds_back_no_more_than_a_word() -> None:
    async def scenario() -> list[str]:
        words = Pronunciations({"kg": "kilogrammes"}, "fr-FR")
        return [piece async for piece in words.stream(_pieces(["Deux k", "g de r", "iz et puis", " voilà"]))]

    assert run(scenario()) == ["Deux ", "kilogrammes de ", "riz et ", "puis ", "voilà"]


def test_phrases_by_language() -> None:
    assert phrases_for("fr-CA").goodbye == phrases_for("fr-FR").goodbye
    assert phrases_for("de-DE") == phrases_for("en-GB")


def test_instructions_hold_the_circumstances_and_every_prompt() -> None:
    now = datetime(2026, 5, 4, 9, 30, tzinfo=ZoneInfo("Europe/Paris"))
    text = instructions(agent(), shared="Partagé.", step=" ", now=now)
    assert "Monday 4 May 2026, 09:30 (Europe/Paris)" in text
    assert "French (France) (fr-FR)" in text
    assert "answering a call" in text
    assert text.endswith("Partagé.")
    outbound = instructions(agent(direction="outbound"), shared="", step="Étape.", now=now)
    assert "making a call" in outbound
    assert outbound.endswith("Étape.")


def test_arguments_are_checked() -> None:
    assert plain_arguments({"reason": "x" * 9, "other": 1}, {"reason": 3}) == {"reason": "xxx"}
    assert plain_arguments({"reason": ["x"]}, {"reason": 3}) == {}
    assert plain_arguments("reason", {"reason": 3}) == {}


def test_keys_are_bounded() -> None:
    async def scenario() -> list[str]:
        turns: list[str] = []
        keypad = Keypad(turns.append)
        for _ in range(MAX_DIGITS + 1):
            keypad.pressed("1")
        keypad.close()
        return turns

    assert run(scenario()) == ["1" * MAX_DIGITS]


def test_first_step_of_an_agent_without_a_path_has_every_action() -> None:
    made = agent(actions=[hang_up_action(3)])
    step = first_plan(made)
    assert step.actions == ("Raccrocher",)
    policy = hang_up_policy(made, step)
    assert (policy.name, policy.min_attempts, policy.offered) == ("Raccrocher", 3, True)


def test_detectors_are_not_shared() -> None:
    """One detector for N sessions gives every session the metrics of all: quadratic, and it stalled everybody."""
    assert new_detector(600) is not new_detector(600)
    assert new_detector(100).min_silence_duration == 0.1
    assert new_detector(5000).min_silence_duration == 0.25

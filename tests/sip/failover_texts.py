"""Texts that cannot be rendered and providers that are down: no placeholder is spoken, and nobody meets silence."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.sip.failover_cells import keep_asking
from tests.sip.failover_service import CALL_BACK
from tests.sip.failover_stage import Visit
from tests.sip.failover_world import (
    BROKEN,
    CLOSED,
    GREETING,
    MESSAGE,
    NO_KEY,
    REFUSED,
    SORRY,
    case,
    failing_over,
    workflow,
)

NEVER = {
    "endless": "{% for i in (1..1000000) %}{% for j in (1..1000000) %}x{% endfor %}{% endfor %}",
    "huge": "{% for i in (1..1500) %}" + "x" * 7000 + "{% endfor %}",
}
"""Texts that no values make good: a loop without end, and 10 MB."""
UNDEFINED = {
    "variable": "Bonjour{{ first_name }}, je vous écoute.",
    "loop": "Bonjour{% for name in names %}{{ name }}{% endfor %}, je vous écoute.",
}


def _fails_over(name: str, **fields: Any) -> None:
    @case(name=f"unrenderable-{name}", **fields, **failing_over(MESSAGE))
    async def play(visit: Visit) -> None:
        await visit.dial()
        await visit.gets_only(CLOSED)
        visit.record("failover", "prompt_unrenderable", "message", "played", ended_by="system")


def _is_nothing(name: str, text: str) -> None:
    @case(name=f"rendered_empty-{name}", greeting=text)
    async def play(visit: Visit) -> None:
        await visit.dial()
        await visit.is_greeted()
        visit.heard(GREETING)
        await visit.hang_up()
        visit.record("completed", None, None, None, ended_by="caller")
        visit.checks.append(lambda: _named(visit))


def _named(visit: Visit) -> None:
    assert visit.events("variable_undefined"), "what was undefined is not on the timeline"


def _costs_the_call(name: str, text: str) -> None:
    @case(name=f"degraded-prompt_{name}", prompt=text)
    async def play(visit: Visit) -> None:
        await visit.dial()
        await visit.gets_only(SORRY)
        visit.record("failed", "prompt_unrenderable", None, None, ended_by="system")


for _name, _text in UNDEFINED.items():
    _fails_over(f"{_name}-greeting", greeting=_text)
    _fails_over(f"{_name}-prompt", prompt=_text)
    _is_nothing(_name, _text)
for _name, _text in NEVER.items():
    _fails_over(f"{_name}-greeting", greeting=_text)
    _fails_over(f"{_name}-announcement", announcement=_text)
    _costs_the_call(_name, _text)


def _cannot_be_said(words: str) -> None:
    @case(name=f"failing_over-{words}", **NO_KEY, **failing_over(workflow(f"then_{words}")))
    async def play(visit: Visit) -> None:
        await visit.dial()
        await visit.gets_only(SORRY)
        visit.record("failover", "agent_unavailable", "workflow", "default_error_message", ended_by="system")


for _words in ("endless_words", "broken_words"):
    _cannot_be_said(_words)


# -- providers that are down -------------------------------------------------------------------------------------

SPEAKS_WITHIN = 12.0
"""From the answer to the first word, when the voice is down: each sentence is tried again before it is given up."""
_MODEL = {"type": "openai", "model": "m", "api_key": "${LAB_KEY}"}
_VOICE = _MODEL | {"voice": {"id": "alloy"}}
PROVIDERS: dict[str, dict[str, Any]] = {
    "voice": {"tts": [_VOICE | {"base_url": REFUSED}]},
    "model": {"llm": [_MODEL | {"base_url": REFUSED}]},
    "voice_and_model": {"tts": [_VOICE | {"base_url": REFUSED}], "llm": [_MODEL | {"base_url": REFUSED}]},
    "broken_voice": {"tts": [_VOICE | {"base_url": BROKEN}]},
    "broken_voice_and_model": {"tts": [_VOICE | {"base_url": BROKEN}], "llm": [_MODEL | {"base_url": BROKEN}]},
}
"""Nobody is there; or somebody who says that all is well, and fails at every request."""


def _down(name: str, fields: dict[str, Any], words: str, *recorded: Any) -> None:
    """Whether it is noticed before the call or in it, the caller is told the same, and before long."""

    @case(name=name, first=True, **fields)
    async def play(visit: Visit) -> None:
        await visit.dial()
        await visit.is_answered()
        asking = asyncio.create_task(keep_asking(visit))
        spoken_at = await visit.call.rtp.wait_speech(SPEAKS_WITHIN + 4)
        assert spoken_at - visit.call.up_at <= SPEAKS_WITHIN, f"silence for {spoken_at - visit.call.up_at:.1f} s"
        await visit.is_hung_up(40)
        asking.cancel()
        visit.heard_only(words, CLOSED, SORRY, CALL_BACK)
        visit.checks.append(lambda: _noticed(visit, *recorded))


def _noticed(visit: Visit, status: str, action: str | None, outcome: str | None) -> None:
    """The record's trigger says when it was noticed."""
    record = visit.stage.server.ended(visit.call.id)
    assert (record["status"], record["failover_action"], record["failover_outcome"]) == (status, action, outcome)
    assert record["trigger"] in ("agent_unavailable", "during_call"), record


for _name, _providers in PROVIDERS.items():
    _down(
        f"failing_over-{_name}_down",
        {"providers": _providers, **failing_over(MESSAGE, during_call=True)},
        CLOSED,
        "failover", "message", "played",
    )  # fmt: skip
    _down(f"degraded-{_name}_down", {"providers": _providers}, SORRY, "failed", None, None)


@case(
    first=True,
    providers=PROVIDERS["broken_voice"],
    **failing_over(workflow("then_words"), during_call=True),
)
async def words_that_no_voice_can_say(visit: Visit) -> None:
    """A workflow's message is spoken live: with the voice down, the stored one is left."""
    await visit.dial()
    await visit.is_answered()
    await visit.is_hung_up(40)
    visit.heard_only(SORRY)
    visit.checks.append(lambda: _noticed(visit, "failover", "workflow", "default_error_message"))

"""What an agent's configuration becomes, and what is said when it cannot be."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest

from parlons.agents.models import Agent
from parlons.conversation.providers import registry
from parlons.errors import ProviderUnusable

from .drive import agent, built

KEYS = {"OPENAI_API_KEY": "k1", "MISTRAL_API_KEY": "k2", "DEEPGRAM_API_KEY": "k3", "ELEVENLABS_API_KEY": "k4"}


def makers(plugins: registry.Built) -> list[str]:
    every: list[Any] = [*plugins.stt, *plugins.llm, *plugins.tts]
    return [p.provider.lower() for p in every]


async def test_nothing_configured_is_embedded() -> None:
    async with built(Agent(name="A", language="fr-FR")) as plugins:
        assert makers(plugins) == ["embedded", "embedded", "embedded"]


async def test_one_variable_turns_the_demo_agent_real() -> None:
    async with built(Agent(name="A"), OPENAI_API_KEY="k") as plugins:
        assert not any("embedded" in m for m in makers(plugins))
        assert len(makers(plugins)) == 3


async def test_but_not_an_agent_that_chose() -> None:
    chosen = agent(tts={"type": "embedded", "voice": {"speed": 1.2}})
    async with built(chosen, OPENAI_API_KEY="k") as plugins:
        assert makers(plugins) == ["embedded", "embedded", "embedded"]


async def test_lists_keep_their_order() -> None:
    of = agent(
        stt=[{"type": "deepgram"}, {"type": "openai"}, {"type": "embedded"}],
        llm=[{"type": "mistral"}, {"type": "openai", "model": "gpt-5.1"}],
        tts=[{"type": "elevenlabs"}, {"type": "deepgram"}, {"type": "openai"}],
    )
    async with built(of, sample_rate=8000, **KEYS) as plugins:
        assert [len(plugins.stt), len(plugins.llm), len(plugins.tts)] == [3, 2, 3]
        names = makers(plugins)
        assert names[0] == "deepgram"
        assert names[2] == "embedded"
        assert "mistral" in names[3]
        assert plugins.llm[1].model == "gpt-5.1"


@pytest.mark.parametrize(
    ("providers", "environ", "message"),
    [
        ({"llm": {"type": "acme"}}, {}, r"no provider named 'acme'.*Use one of: deepgram, elevenlabs, embedded"),
        ({"llm": {"type": "openai"}}, {}, "has no key.*OPENAI_API_KEY"),
        ({"llm": {"type": "openai", "api_key": "${MY_KEY}"}}, {}, r"\$\{MY_KEY\}, which is not set.*MY_KEY"),
        ({"llm": {"type": "mistral", "base_url": "http://127.0.0.1:9"}}, {}, "has no key.*MISTRAL_API_KEY"),
        ({"llm": {"type": "deepgram"}}, KEYS, "deepgram has no llm service.*embedded, mistral, openai"),
        ({"llm": {"type": "embedded", "base_url": "http://127.0.0.1:9"}}, {}, "takes no base_url"),
        ({"tts": {"type": "embedded", "voice": {"id": "marcel"}}}, {}, "marcel"),
        ({"llm": {"type": "openai", "base_url": "http://[::1"}}, KEYS, "base_url of openai cannot be read.*https://"),
        ({"llm": {"type": "openai", "base_url": "http://host:99999/v1"}}, KEYS, "base_url of openai cannot be read"),
    ],
)
async def test_refused_with_the_fix(providers: dict[str, Any], environ: dict[str, str], message: str) -> None:
    with pytest.raises(ProviderUnusable, match=message):
        registry.build(agent(**providers), environ=environ)


async def test_a_language_the_provider_lacks() -> None:
    with pytest.raises(ProviderUnusable, match="Deepgram has no voice for sv-SE"):
        registry.build(agent("sv-SE", tts={"type": "deepgram"}), environ=KEYS)


async def test_a_missing_extra_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "livekit.plugins.deepgram", None)
    with pytest.raises(ProviderUnusable, match=r"pip install 'parlons\[deepgram\]'"):
        registry.build(agent(stt={"type": "deepgram"}), environ=KEYS)


async def test_the_environment_wins_over_the_file() -> None:
    of = agent(llm={"type": "openai", "api_key": "from-file"})
    async with built(of, OPENAI_API_KEY="from-environment") as plugins:
        assert plugins.llm[0]._client.api_key == "from-environment"  # type: ignore[attr-defined]
    async with built(of) as plugins:
        assert plugins.llm[0]._client.api_key == "from-file"  # type: ignore[attr-defined]


async def test_calls_share_clients_and_building_is_quick() -> None:
    of = agent(
        stt=[{"type": "deepgram"}, {"type": "embedded"}],
        llm=[{"type": "openai"}, {"type": "mistral"}],
        tts=[{"type": "elevenlabs"}, {"type": "embedded"}],
    )
    async with built(of, sample_rate=8000, **KEYS) as first:
        started = time.perf_counter()
        others = [registry.build(of, environ=KEYS) for _ in range(20)]
        assert time.perf_counter() - started < 20 * 0.01
        assert all(o.llm[0]._client is first.llm[0]._client for o in others)  # type: ignore[attr-defined]
        assert all(o.stt[0]._session is first.stt[0]._session for o in others)  # type: ignore[attr-defined]


def test_known_lists_every_provider_with_its_key() -> None:
    kinds = registry.known()
    assert set(kinds) == {"embedded", "openai", "mistral", "deepgram", "elevenlabs"}
    assert kinds["embedded"].env is None
    for name, kind in kinds.items():
        assert all(getattr(kind, service) is not None for service in kind.services)
        assert name in ("embedded", "openai") or kind.extra == name


async def test_prewarm_and_prepare() -> None:
    registry.prewarm()
    await registry.prepare(agent("en-GB", llm={"type": "openai"}, stt={"type": "openai"}))

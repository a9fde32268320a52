"""``parlons serve`` with one provider more, ``bench``: the process under test. Changes nothing else."""

from __future__ import annotations

import sys

from benchmarks import fake_providers
from parlons.cli import main as parlons
from parlons.conversation.providers import registry
from parlons.conversation.providers.kinds import ProviderKind


def register() -> None:
    """Make ``{"type": "bench"}`` a provider of each kind."""
    clip = fake_providers.clip()
    kind = ProviderKind(
        name="bench",
        models={"stt": "ears", "llm": "phrases", "tts": "clip"},
        stt=lambda _setup: fake_providers.FakeSTT(),
        llm=lambda _setup: fake_providers.FakeLLM(),
        tts=lambda _setup: fake_providers.FakeTTS(clip),
    )
    registry.register(kind)


if __name__ == "__main__":
    register()
    sys.argv = ["parlons", "serve"]
    parlons()

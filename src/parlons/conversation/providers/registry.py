"""From an agent's configuration to the plug-ins of one call.

The only place that knows every provider. Fail-over between the plug-ins of a list is the conversation's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from livekit.agents import llm, stt, tts

from parlons.agents.actions import HangUpAction
from parlons.agents.models import Agent, Provider, Providers, SpeechProvider
from parlons.agents.path import PromptStep
from parlons.errors import ProviderUnusable

from ..embedded import EMBEDDED_MODELS, espeak
from ..embedded.model import EmbeddedModel
from ..embedded.recogniser import EmbeddedRecogniser, close_workers, vocabulary
from ..embedded.voice import EmbeddedVoice
from . import deepgram, elevenlabs, mistral, openai
from .kinds import ProviderKind, Service, Setup, close_http_session, load

_REFERENCE = re.compile(r"^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$")
_MAX_TERMS = 100
_NOTHING_CHOSEN = Providers()

_EMBEDDED = ProviderKind(
    name="embedded",
    models=EMBEDDED_MODELS,
    stt=lambda setup: EmbeddedRecogniser(setup.language, setup.terms),
    llm=lambda setup: EmbeddedModel(setup.language),
    tts=lambda setup: EmbeddedVoice(
        setup.language, voice=setup.voice or None, speed=setup.speed, sample_rate=setup.sample_rate
    ),
    takes_base_url=False,
)
_KINDS = {k.name: k for k in (_EMBEDDED, openai.KIND, mistral.KIND, deepgram.KIND, elevenlabs.KIND)}


@dataclass(frozen=True)
class Built:
    """The plug-ins of one call, in order of preference. Non-streaming ones are not wrapped."""

    stt: list[stt.STT[Any]] = field(default_factory=list)
    llm: list[llm.LLM[Any]] = field(default_factory=list)
    tts: list[tts.TTS[Any]] = field(default_factory=list)

    async def aclose(self) -> None:
        """Let go of what belongs to this call alone; clients shared with other calls stay."""
        plugins: list[stt.STT[Any] | llm.LLM[Any] | tts.TTS[Any]] = [*self.stt, *self.llm, *self.tts]
        for plugin in plugins:
            await plugin.aclose()


@dataclass(frozen=True, slots=True)
class Credential:
    """A provider's key, and the environment variable it came from; empty when it stands in the agent itself."""

    key: str = field(default="", repr=False)
    variable: str = ""


def register(kind: ProviderKind) -> None:
    """Add a provider of the process's own: what the benchmarks do."""
    _KINDS[kind.name] = kind


def known() -> dict[str, ProviderKind]:
    """Every provider an agent may name, by name."""
    return dict(_KINDS)


def kind_of(name: str) -> ProviderKind | None:
    """The provider of this name."""
    return _KINDS.get(name)


def prewarm() -> None:
    """Load what no call should wait for. Main thread, at start; blocks for a moment."""
    espeak.prewarm()
    for kind in _KINDS.values():
        try:
            load(kind)
        except ProviderUnusable:
            continue  # an extra that is not installed: said when an agent asks for it


async def prepare(agent: Agent) -> None:
    """Build ahead what this agent's calls need: the embedded recogniser's grammar. Cheap when it is there already."""
    if any(provider.type == "embedded" for provider in agent.providers.stt):
        await EmbeddedRecogniser(agent.language, vocabulary(_prompts(agent), _descriptions(agent))).prepare()


async def close_shared() -> None:
    """Close the clients that calls shared, when the process stops."""
    await openai.close_clients()
    await close_http_session()
    close_workers()


def build(
    agent: Agent,
    *,
    environ: Mapping[str, str],
    sample_rate: int = 8000,
    services: Iterable[Service] = ("stt", "llm", "tts"),
) -> Built:
    """The plug-ins for one call of this agent. On the main thread, in the loop; asks nothing of the network.

    With no provider configured at all and ``OPENAI_API_KEY`` in ``environ``, all three are OpenAI's.

    Args:
        sample_rate: of the telephone, 8000 or 16000.
        services: what is needed; the rest is neither made nor has to be usable.

    Raises:
        ProviderUnusable: unknown type, missing key or extra, or a language or voice the provider lacks; the hint
            says what to do.
    """
    providers = effective(agent, environ)
    terms = vocabulary(_prompts(agent), _descriptions(agent))
    made = {
        service: [_make(service, p, agent.language, terms, environ, sample_rate) for p in getattr(providers, service)]
        for service in services
    }
    return Built(**made)


def effective(agent: Agent, environ: Mapping[str, str]) -> Providers:
    """The providers that will serve this agent, once the environment had its say."""
    if agent.providers != _NOTHING_CHOSEN or not environ.get("OPENAI_API_KEY"):
        return agent.providers
    one = Provider(type="openai")
    return Providers(stt=[one], llm=[one], tts=[SpeechProvider(type="openai")])


def _prompts(agent: Agent) -> list[str]:
    steps = agent.path.steps if agent.path else []
    return [agent.prompt, *(s.prompt for s in steps if isinstance(s, PromptStep))]


def _descriptions(agent: Agent) -> list[str]:
    """What says when to act: of actions (hanging up has words of its own) and of transitions."""
    steps = agent.path.steps if agent.path else []
    transitions = [t for s in steps if isinstance(s, PromptStep) for t in s.transitions]
    actions = [action for action in agent.actions if not isinstance(action, HangUpAction)]
    return [item.description for item in (*actions, *transitions)]


def required(service: Service, provider: Provider, environ: Mapping[str, str]) -> tuple[ProviderKind, Credential]:
    """What a service of a provider cannot do without: its plug-in, loaded, and its key. On the main thread.

    Raises ProviderUnusable, with what to do.
    """
    kind = _KINDS.get(provider.type)
    if kind is None:
        raise ProviderUnusable(
            f"There is no provider named {provider.type!r}.", hint=f"Use one of: {', '.join(sorted(_KINDS))}."
        )
    if getattr(kind, service) is None:
        having = sorted(k.name for k in _KINDS.values() if service in k.models)
        raise ProviderUnusable(
            f"The provider {kind.name} has no {service} service.", hint=f"Use one of: {', '.join(having)}."
        )
    if provider.base_url and not kind.takes_base_url:
        raise ProviderUnusable(f"The provider {kind.name} takes no base_url.", hint="Leave base_url out.")
    _check_url(kind, provider.base_url or "")
    found = credential(kind, provider, environ)
    load(kind)
    return kind, found


def _make(
    service: Service,
    provider: Provider,
    language: str,
    terms: tuple[str, ...],
    environ: Mapping[str, str],
    sample_rate: int,
) -> Any:
    kind, found = required(service, provider, environ)
    voice = provider.voice if isinstance(provider, SpeechProvider) else None
    setup = Setup(
        language=language,
        model=provider.model or kind.models[service],
        key=found.key,
        base_url=provider.base_url or "",
        voice=(voice.id or "") if voice else "",
        speed=voice.speed if voice else 1.0,
        terms=terms if kind is _EMBEDDED else terms[:_MAX_TERMS],
        sample_rate=sample_rate,
    )
    try:
        return getattr(kind, service)(setup)
    except ValueError as error:  # how plug-ins say that an option does not suit them
        raise ProviderUnusable(f"The provider {kind.name} cannot be used for {service}: {error}") from error


def _check_url(kind: ProviderKind, url: str) -> None:
    try:
        _ = urlsplit(url).port
    except ValueError:  # brackets or a port that are none: plug-ins would raise each their own error
        raise ProviderUnusable(
            f"The base_url of {kind.name} cannot be read.",
            hint="Write it as https://host/path or http://host:port/path.",
        ) from None


def credential(kind: ProviderKind, provider: Provider, environ: Mapping[str, str]) -> Credential:
    """The key of a provider; empty when it needs none. Raises ProviderUnusable when there should be one."""
    if kind.env is None:
        return Credential()
    if from_environment := environ.get(kind.env):
        return Credential(from_environment, kind.env)
    configured, variable = provider.api_key or "", ""
    if reference := _REFERENCE.match(configured):
        variable = reference[1]
        configured = environ.get(variable, "")
        if not configured:
            raise ProviderUnusable(
                f"The key of {kind.name} is ${{{variable}}}, which is not set.",
                hint=f"Set the environment variable {variable} or {kind.env}.",
            )
    if not configured and not (provider.base_url and kind.key_optional_elsewhere):
        raise ProviderUnusable(
            f"The provider {kind.name} has no key.", hint=f"Set the environment variable {kind.env}."
        )
    return Credential(configured, variable)

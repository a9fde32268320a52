"""What a provider is to the registry: its name, its services, its key, and how each service is made.

Knows no particular provider.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Literal
from weakref import WeakKeyDictionary

import aiohttp
from livekit.agents import llm, stt, tts

from parlons.errors import ProviderUnusable

Service = Literal["stt", "llm", "tts"]


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything one service of one provider is made from.

    Args:
        language: BCP 47 tag of the agent.
        model: the model asked for, or the provider's default.
        key: the API key; empty when the server needs none.
        base_url: another server than the provider's own, or empty.
        voice, speed: for speech out; ``voice`` is empty for the default.
        terms: words the caller is likely to say.
        sample_rate: of the telephone: 8000 or 16000.
    """

    language: str
    model: str
    key: str = field(default="", repr=False)
    base_url: str = ""
    voice: str = ""
    speed: float = 1.0
    terms: tuple[str, ...] = ()
    sample_rate: int = 8000

    @property
    def base_language(self) -> str:
        return self.language.split("-")[0].lower()


@dataclass(frozen=True, slots=True)
class Probe:
    """What a provider is asked, now and then, to see whether it can be used: a GET that costs nothing.

    Args:
        server: the provider's own, where there is no ``base_url``.
        path: put after the server's URL.
        header, scheme: how the key goes along.
        limited: found in a 401 or 403 when the key is good, and only this request is not among its rights.
    """

    server: str
    path: str
    header: str = "Authorization"
    scheme: str = "Bearer"
    limited: str = ""


@dataclass(frozen=True, slots=True)
class ProviderKind:
    """A provider that agents may name.

    Args:
        models: the default model of each service it has.
        env: the environment variable of its key; None when it needs none.
        extra: the extra of this package that installs its plug-in; None when it is always there.
        key_optional_elsewhere: a server at ``base_url`` may need no key.
        probe: how to see whether it can be used; None when it always can.
    """

    name: str
    models: dict[Service, str]
    stt: Callable[[Setup], stt.STT[Any]] | None = None
    llm: Callable[[Setup], llm.LLM[Any]] | None = None
    tts: Callable[[Setup], tts.TTS[Any]] | None = None
    env: str | None = None
    extra: str | None = None
    plugin: str | None = None
    takes_base_url: bool = True
    key_optional_elsewhere: bool = False
    probe: Probe | None = None

    @property
    def services(self) -> tuple[Service, ...]:
        return tuple(self.models)


def load(kind: ProviderKind) -> ModuleType | None:
    """Import a provider's plug-in. Only on the main thread: the runtime registers it there.

    Raises ProviderUnusable with the command that installs it.
    """
    if kind.plugin is None:
        return None
    try:
        return importlib.import_module(kind.plugin)
    except ImportError:
        raise ProviderUnusable(
            f"The provider {kind.name} is not installed.", hint=f"Run: pip install 'parlons[{kind.extra}]'"
        ) from None


_sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()


def http_session() -> aiohttp.ClientSession:
    """The loop's one HTTP session, shared by every call so that connections stay warm."""
    loop = asyncio.get_running_loop()
    session = _sessions.get(loop)
    if session is None or session.closed:
        session = _sessions[loop] = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=120), trust_env=True
        )
    return session


async def close_http_session() -> None:
    """Close the running loop's HTTP session, if any."""
    session = _sessions.pop(asyncio.get_running_loop(), None)
    if session is not None:
        await session.close()

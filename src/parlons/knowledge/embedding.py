"""Vectors of texts, from a provider that speaks OpenAI's protocol (``POST /v1/embeddings``)."""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import httpx

from ..errors import ProviderUnusable
from .failures import EmbeddingFailed

if TYPE_CHECKING:  # a quarter of a second to import, which each worker would take
    from ..agents.models import Provider

BASE_URL = "https://api.openai.com/v1"
MODEL = "text-embedding-3-small"
KEY_VARIABLE = "OPENAI_API_KEY"
BATCH = 64
MAX_DIMENSIONS = 8_192
MAX_REPLY = 64_000_000
_REFERENCE = re.compile(r"^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$")


@dataclass(frozen=True, slots=True)
class EmbeddingSetup:
    """Where vectors come from, with the key in clear."""

    base_url: str
    model: str
    key: str = field(default="", repr=False)

    @property
    def label(self) -> str:
        """Says which vectors can be compared: those of one model."""
        return f"{self.model}@{self.base_url}"


def setup(provider: Provider | None, environ: Mapping[str, str]) -> EmbeddingSetup | None:
    """The embedding provider of an installation; None when none is set.

    A key in the environment wins; ``${NAME}`` is read from it; a ``base_url`` of one's own needs none.

    Raises:
        ProviderUnusable: another type of provider, or no key.
    """
    if provider is None:
        return None
    if provider.type != "openai":
        raise ProviderUnusable(
            f"The provider {provider.type!r} has no embedding service here.",
            hint="Use openai; its base_url may be that of any server that speaks the same protocol.",
        )
    key = environ.get(KEY_VARIABLE) or provider.api_key or ""
    if reference := _REFERENCE.match(key):
        key = environ.get(reference[1], "")
        if not key:
            raise ProviderUnusable(
                f"The key of the embedding provider is ${{{reference[1]}}}, which is not set.",
                hint=f"Set the environment variable {reference[1]} or {KEY_VARIABLE}.",
            )
    if not key and not provider.base_url:
        raise ProviderUnusable("The embedding provider has no key.", hint=f"Set {KEY_VARIABLE}.")
    return EmbeddingSetup((provider.base_url or BASE_URL).rstrip("/"), provider.model or MODEL, key)


class Embedder:
    """A client of one provider; close it at the end."""

    def __init__(self, made: EmbeddingSetup) -> None:
        self.setup = made
        headers = {"Authorization": f"Bearer {made.key}"} if made.key else {}
        self._http = httpx.AsyncClient(headers=headers, trust_env=False, limits=httpx.Limits(max_connections=8))

    async def embed(self, texts: Sequence[str], *, seconds: float) -> list[list[float]]:
        """A vector for each text, in their order; all of one length.

        Args:
            texts: at most :data:`BATCH`.
            seconds: for the whole request.

        Raises:
            EmbeddingFailed: retryable says whether trying again may work.
        """
        try:
            async with asyncio.timeout(seconds):
                status, body = await self._ask(texts, seconds)
        except (TimeoutError, httpx.TimeoutException):
            raise EmbeddingFailed(f"the embedding provider did not answer within {seconds:g} s.") from None
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as error:  # the latter: closed meanwhile
            raise EmbeddingFailed(f"the embedding provider is not reached ({type(error).__name__}).") from None
        if status != 200:
            raise EmbeddingFailed(
                f"the embedding provider answered {status}.",
                hint="Check its key and its model." if status in (400, 401, 403, 404) else "",
            )
        return await asyncio.to_thread(_vectors, body, len(texts))

    async def _ask(self, texts: Sequence[str], seconds: float) -> tuple[int, bytes]:
        asked = {"model": self.setup.model, "input": list(texts), "encoding_format": "float"}
        url = f"{self.setup.base_url}/embeddings"
        async with self._http.stream("POST", url, json=asked, timeout=seconds) as reply:
            body = bytearray()
            async for part in reply.aiter_bytes():
                body += part
                if len(body) > MAX_REPLY:
                    raise EmbeddingFailed("the embedding provider's answer is too big.")
            return reply.status_code, bytes(body)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _vectors(body: bytes, count: int) -> list[list[float]]:
    try:
        data: Any = json.loads(body)["data"]
        found = {int(item["index"]): [float(number) for number in item["embedding"]] for item in data}
        vectors = [found[index] for index in range(count)]
    except (ValueError, KeyError, TypeError):
        raise EmbeddingFailed("the embedding provider did not answer with a vector for each text.") from None
    sizes = {len(vector) for vector in vectors}
    if len(sizes) != 1 or not 1 <= max(sizes) <= MAX_DIMENSIONS:
        raise EmbeddingFailed("the embedding provider's vectors are of no or several lengths.")
    if not all(math.isfinite(number) for vector in vectors for number in vector):
        raise EmbeddingFailed("the embedding provider's vectors hold numbers that are none.")
    return vectors

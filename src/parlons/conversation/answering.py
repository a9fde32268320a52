"""Asking the language model for an answer, so that there always is one: deadlines, the next provider, asking again.

Runs inside the voice runtime's ``llm_node``. Knows nothing of audio, tools' meaning or the telephone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Final

from livekit.agents import APIConnectOptions, FlushSentinel, ModelSettings, llm

from ..calls.timeline import Kind
from ..errors import ProviderTimeout
from .audio import CHARACTERS_PER_SECOND
from .chain import Chain
from .host import Host
from .pacing import Puller

FIRST_TOKEN_SECONDS = 5.0
NEXT_TOKEN_SECONDS = 5.0
ASK_AGAIN_WITHIN = 6.0
"""When every provider failed sooner than this after the first question, all are asked once more."""
ASK_AGAIN_PAUSE = 0.3
HURRY_SECONDS = 2.5
"""Words that have waited this long for the end of their sentence are spoken without it."""
HURRY_AGAIN_SECONDS = 1.2
"""The same, once the model is known to be slow: the pauses in its sentence stay short."""
FAILED_TURNS_ALLOWED = 1
"""Turns in a row that no provider answered and that an apology covers; one more and the conversation has failed."""

Piece = llm.ChatChunk | str | FlushSentinel


class _PatienceDue:
    """Stands in a provider's stream where the other person has waited long enough to be told so."""


_PATIENCE: Final = _PatienceDue()


class _Pace:
    """Notices words that must not wait for the end of their sentence: the model writes more slowly than one speaks."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._waiting = 0
        self._between_words = False
        self._patience = HURRY_SECONDS

    def hurry(self, text: str, *, unheard: bool) -> bool:
        """Note the next piece of text; True when what came before it must be spoken now."""
        now = asyncio.get_running_loop().time()
        if self._since is None:
            self._since = now
        hurry = False
        waited = now - self._since
        if waited >= self._patience and (self._between_words or text[:1].isspace()):
            hurry = unheard or self._waiting < waited * CHARACTERS_PER_SECOND
            self._patience = HURRY_AGAIN_SECONDS if hurry else HURRY_SECONDS
            self.spoken()
        self._waiting += len(text)
        self._between_words = text[-1:].isspace()
        return hurry

    def spoken(self) -> None:
        """No words wait any more."""
        self._since, self._waiting = asyncio.get_running_loop().time(), 0


class Answering:
    """Answers for one conversation.

    Args:
        patience_at: when (loop time) silence has lasted so long that the agent must say something, or None for never.
    """

    def __init__(self, host: Host, chain: Chain[llm.LLM[Any]], patience_at: Callable[[], float | None]) -> None:
        self._host = host
        self._chain = chain
        self._patience_at = patience_at
        self._failed_turns = 0

    async def answer(
        self, chat_ctx: llm.ChatContext, tools: list[llm.Tool], settings: ModelSettings
    ) -> AsyncGenerator[Piece, None]:
        """Stream one answer. Never empty and never raises for a provider's failure: an apology takes its place."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        impatient = False
        empty = False
        for attempt in range(2):
            if attempt:
                await asyncio.sleep(ASK_AGAIN_PAUSE)
            for provider in self._chain.order():
                spoken = called = False
                pace = _Pace()
                try:
                    async with aclosing(self._ask(provider, chat_ctx, tools, settings)) as pieces:
                        async for piece in pieces:
                            if isinstance(piece, _PatienceDue):
                                if spoken:
                                    pace.spoken()
                                    yield FlushSentinel()  # a few words are there: they will do
                                elif not impatient:
                                    impatient = True
                                    self._host.timeline.add("system", Kind.NEVER_SILENT, rule="slow_answer")
                                    yield self._host.phrases.patience
                                    yield FlushSentinel()
                                continue
                            if piece.delta is not None:
                                words = piece.delta.content or ""
                                if words and pace.hurry(words, unheard=self._patience_at() is not None):
                                    yield FlushSentinel()
                                spoken = spoken or bool(words.strip())
                                called = called or bool(piece.delta.tool_calls)
                            yield piece
                except Exception as error:  # a plug-in may raise anything; the call must go on
                    self._chain.failed(provider, error)
                    if spoken:
                        self._host.timeline.add("system", Kind.NEVER_SILENT, rule="empty_answer", cause="cut")
                        yield " " + self._host.phrases.apology
                    if spoken or called:
                        return
                    continue
                self._chain.worked(provider)
                if spoken or called:
                    self._failed_turns = 0
                    return
                empty = True
                break
            if self._host.over or not (empty or loop.time() - started < ASK_AGAIN_WITHIN):
                break
        if self._host.over:
            return
        if not empty:
            self._failed_turns += 1
            if self._failed_turns > FAILED_TURNS_ALLOWED:
                self._host.fail("llm", "no language model answered")
                return
        cause = "empty" if empty else "provider"
        self._host.timeline.add("system", Kind.NEVER_SILENT, rule="empty_answer", cause=cause)
        yield self._host.phrases.apology

    async def _ask(
        self, provider: llm.LLM[Any], chat_ctx: llm.ChatContext, tools: list[llm.Tool], settings: ModelSettings
    ) -> AsyncGenerator[llm.ChatChunk | _PatienceDue, None]:
        loop = asyncio.get_running_loop()
        options = APIConnectOptions(max_retry=0, timeout=FIRST_TOKEN_SECONDS)
        async with provider.chat(
            chat_ctx=chat_ctx, tools=tools, tool_choice=settings.tool_choice, conn_options=options
        ) as stream:
            puller = Puller(aiter(stream))
            deadline = loop.time() + FIRST_TOKEN_SECONDS
            patience = self._patience_at()
            try:
                while True:
                    patience_first = patience is not None and patience < deadline
                    until = patience if patience is not None and patience_first else deadline
                    try:
                        piece = await puller.next(max(0.0, until - loop.time()))
                    except StopAsyncIteration:
                        return
                    except TimeoutError:
                        if patience_first:
                            patience = None
                            yield _PATIENCE
                            continue
                        raise ProviderTimeout("The language model sent nothing in time.") from None
                    deadline = loop.time() + NEXT_TOKEN_SECONDS
                    yield piece
            finally:
                await puller.close()

"""Every chat of the process: how many there may be, and how long one that is over can still be read."""

from __future__ import annotations

import asyncio
import contextlib

from parlons.errors import Conflict, NotFound

from .chat_world import ChatWorld
from .chatting import Chat
from .directory import LiveAgent
from .timeline import EndCode

MAX_CHATS = 20
"""Chats that go on at a time."""
KEPT_SECONDS = 300.0
"""How long a chat that is over can be read."""
MAX_KEPT = 100
"""Chats in memory, over or not."""
CLOSE_SECONDS = 10.0


class Chats:
    """Owns them. Nothing of a chat is stored: the process forgets it."""

    def __init__(self, world: ChatWorld) -> None:
        self._world = world
        self._chats: dict[str, Chat] = {}
        self._ending: dict[str, asyncio.Task[None]] = {}
        """What waits for each to be over, and then for it to be forgotten."""
        self.ended = 0
        """How many are over, since the start."""

    def open(self, live: LiveAgent, caller: str = "") -> Chat:
        """Begin one with this agent, published or not. Raises Conflict: there are as many as there may be."""
        if self.active >= MAX_CHATS:
            raise Conflict(f"{MAX_CHATS} chats are going on.", hint="End one of them: closing its page does.")
        if len(self._chats) >= MAX_KEPT:
            self._forget(next(key for key, chat in self._chats.items() if chat.over))
        chat = Chat(self._world, live, caller)
        self._chats[chat.id] = chat
        chat.start()
        self._ending[chat.id] = asyncio.create_task(self._kept(chat), name="chat-kept")
        return chat

    def get(self, chat_id: str) -> Chat:
        """One that goes on, or was over less than ``KEPT_SECONDS`` ago. Raises NotFound."""
        chat = self._chats.get(chat_id)
        if chat is None:
            raise NotFound(f"there is no chat {chat_id!r} any more.", hint="Begin another one.")
        return chat

    async def _kept(self, chat: Chat) -> None:
        await chat.ended()
        self.ended += 1
        await asyncio.sleep(KEPT_SECONDS)
        self._chats.pop(chat.id, None)
        self._ending.pop(chat.id, None)

    def _forget(self, chat_id: str) -> None:
        self._chats.pop(chat_id, None)
        self._ending.pop(chat_id).cancel()

    @property
    def active(self) -> int:
        """How many go on."""
        return sum(not chat.over for chat in self._chats.values())

    def gauges(self) -> dict[str, float]:
        """Chats that go on, and how many there may be."""
        return {"active": self.active, "limit": MAX_CHATS}

    async def close(self) -> None:
        """End all of them."""
        for chat in self._chats.values():
            chat.stop("system", EndCode.SHUT_DOWN)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.gather(*(chat.ended() for chat in self._chats.values()))
        for chat_id in list(self._chats):
            self._forget(chat_id)

"""One conversation with nobody, before the first call: the runtime loads a third of a second of code on first use.

Without it, the first caller's greeting would come late and every other leg's audio would stop for that long.
"""

from __future__ import annotations

from collections.abc import Callable

from ..agents.context import CallContext
from ..agents.models import Agent
from ..calls.timeline import Timeline
from ..telephony.types import AudioSink, AudioSource, AudioTap
from .session import Built, Conversation

WARM_UP_AGENT = Agent(name="warm-up", greeting="")


class NobodysPort:
    """An AudioPort with nobody at the other end."""

    sample_rate = 8000
    on_hold = False
    silent_seconds = 0.0

    def __init__(self) -> None:
        self.source: AudioSource | None = None
        self.sink: AudioSink | None = None
        self.tap: AudioTap | None = None
        self.on_dtmf: Callable[[str], None] | None = None

    async def send_dtmf(self, digits: str) -> None:
        """Nobody hears them."""


async def warm_up(providers: Built) -> None:
    """Start and close a conversation. The providers are asked for nothing."""
    conversation = Conversation(
        agent=WARM_UP_AGENT,
        agent_id="warm-up",
        context=CallContext(system={}),
        providers=providers,
        timeline=Timeline(),
        audio=NobodysPort(),
    )
    await conversation.start()
    await conversation.close()

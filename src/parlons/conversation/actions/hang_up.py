"""The hang_up action: how often it must be asked for, the goodbye played to its end, and how a caller rescues the call.

Specification, section 4.3. Knows nothing of SIP: that the call should end is all it says.
"""

from __future__ import annotations

import asyncio
import enum
from dataclasses import dataclass
from typing import Any, Final

from livekit.agents import RunContext, StopResponse
from livekit.agents.voice import SpeechHandle

from ...agents.actions import HangUpAction
from ...agents.common import slug
from ...calls.timeline import Kind
from ...errors import IllegalMove
from ..host import ConversationEnd, Host
from ..prompt import plain_arguments
from .base import ToolSpec

FAR_BUFFER_SECONDS = 0.2
"""After the last packet: what the far jitter buffer still holds."""
GOODBYE_SECONDS = 60.0
"""A goodbye that takes longer than this (the peer put us on hold, say) no longer keeps the call."""
RESCUE_SECONDS = 1.0
"""Speech over the goodbye that rescues the call, whether its words are understood or not. Less is a cough."""
DETECTOR_SECONDS = 0.25
"""How much longer than it was the detector makes each stretch of speech."""

DEFAULT_NAME = "hang_up"
DEFAULT_DESCRIPTION = (
    "End the call. Use it when the conversation is over: the other person said goodbye or asked to end, or everything "
    "they wanted is done and they need nothing more; also when you are talking to a machine or a voicemail. Say "
    "goodbye in the same turn."
)
REASON_LENGTH = 200


class State(enum.Enum):
    """Where hanging up stands."""

    OPEN = "open"
    """The conversation goes on; asks are counted."""
    GOODBYE = "goodbye"
    """Asked for often enough: the goodbye is being played."""
    DONE = "done"
    """The goodbye was played to its end."""


MOVES: Final[dict[State, frozenset[State]]] = {
    State.OPEN: frozenset({State.GOODBYE}),
    State.GOODBYE: frozenset({State.OPEN, State.DONE}),
    State.DONE: frozenset(),
}


@dataclass(frozen=True, slots=True)
class HangUpPolicy:
    """What is configured. ``offered``: whether the step shows the model the tool; the guards work either way."""

    name: str = DEFAULT_NAME
    description: str = DEFAULT_DESCRIPTION
    min_attempts: int = 1
    offered: bool = True

    @staticmethod
    def of(action: HangUpAction | None, *, offered: bool) -> HangUpPolicy:
        """The configured action's policy, or the hidden default when there is none."""
        if action is None:
            return HangUpPolicy()
        return HangUpPolicy(action.name, action.description, action.min_attempts, offered)


class HangUp:
    """Counts the asks of one conversation and carries out the last.

    An ask by the model counts once per turn of the other side; each firing of the silence guard counts, for a silence
    is nobody's turn. After a rescue one more ask is enough: it was asked for as often as wanted already.
    """

    def __init__(self, host: Host, policy: HangUpPolicy) -> None:
        self._host = host
        self._policy = policy
        self._state = State.OPEN
        self._asks = 0
        self._turn = 0
        self._counted_turn = -1
        self._speaking_since: float | None = None
        self._spoken_over = 0.0
        self._rescue: asyncio.TimerHandle | None = None

    @property
    def state(self) -> State:
        return self._state

    @property
    def left(self) -> int:
        """How many asks are still wanted."""
        return self._policy.min_attempts - self._asks

    @property
    def turns(self) -> int:
        """Turns the other side has taken."""
        return self._turn

    def other_side_took_turn(self) -> None:
        """The other side said or pressed something: another ask may count."""
        self._turn += 1

    def caller_started(self) -> None:
        """The other side began to speak."""
        if self._state is State.GOODBYE:
            self._watch()

    def caller_stopped(self) -> bool:
        """The other side fell silent. True when what it said had rescued the call."""
        began, self._speaking_since = self._speaking_since, None
        if began is None:
            return False
        if self._rescue is not None:
            self._rescue.cancel()
            self._rescue = None
            spoken = asyncio.get_running_loop().time() - began - DETECTOR_SECONDS
            self._spoken_over += max(0.0, spoken)
            return False
        return True

    def tool(self) -> ToolSpec:
        """The tool as the model sees it."""
        return ToolSpec(
            name=slug(self._policy.name),
            description=self._policy.description,
            parameters={
                "type": "object",
                "properties": {"reason": {"type": "string", "description": "Why, in a few words."}},
                "required": [],
                "additionalProperties": False,
            },
            body=self._asked,
            fills=False,
        )

    def guard_ask(self, guard: str) -> bool:
        """A guard fired: count it, and end the call when it was the last ask wanted. True when it is."""
        if self._state is not State.OPEN or (guard == "repeats" and not self._first_this_turn()):
            return False
        self._asks += 1
        self._note_started({"guard": guard})
        if self.left > 0:
            self._note_finished("counted", left=self.left)
            return False
        self._begin_goodbye()
        self._host.spawn(self._leave_for(guard))
        return True

    # -- the model's asks -------------------------------------------------------------------------------------

    async def _asked(self, raw_arguments: dict[str, Any], ctx: RunContext[Any]) -> str:
        arguments = plain_arguments(raw_arguments, {"reason": REASON_LENGTH})
        if self._state is not State.OPEN:
            raise StopResponse  # already leaving
        self._note_started({} if self._host.sensitive else arguments)
        if not self._first_this_turn():
            self._note_finished("ignored", left=self.left)
            return self._not_yet("Asking again in the same turn does not count.")
        self._asks += 1
        if self.left > 0:
            self._note_finished("counted", left=self.left)
            return self._not_yet("Noted.")
        self._begin_goodbye()
        began = asyncio.get_running_loop().time()
        with self._host.quiet():
            left = await self._play_goodbye(ctx)
        self._conclude(left, why="hang_up", began=began)
        raise StopResponse

    def _first_this_turn(self) -> bool:
        first = self._counted_turn != self._turn
        self._counted_turn = self._turn
        return first

    def _not_yet(self, because: str) -> str:
        return (
            f"{because} The call is not ended: hang-up must be asked for {self.left} more time(s), in later turns. "
            "Do not announce the end of the call; go on with the conversation."
        )

    async def _play_goodbye(self, ctx: RunContext[Any]) -> bool:
        """Play what the model said with the call, or a goodbye of ours. False when the caller spoke over it."""
        answer = ctx.function_call.id.partition("/fnc_")[0]
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await ctx.wait_for_playout()
        except TimeoutError:
            return True
        if ctx.speech_handle.interrupted:
            return False
        if any(item.id == answer for item in ctx.speech_handle.chat_items):
            return await self._tail()
        return await self._say_to_the_end(self._host.phrases.goodbye)

    # -- guards -----------------------------------------------------------------------------------------------

    async def _leave_for(self, guard: str) -> None:
        phrases = self._host.phrases
        began = asyncio.get_running_loop().time()
        with self._host.quiet():
            left = await self._say_to_the_end(phrases.goodbye_silence if guard == "silence" else phrases.goodbye)
        self._conclude(left, why=f"guard_{guard}", began=began)

    # -- the rescue -------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        self._speaking_since = loop.time()
        self._rescue = loop.call_later(max(0.0, RESCUE_SECONDS - self._spoken_over), self._rescued)

    def _rescued(self) -> None:
        self._rescue = None
        if self._state is State.GOODBYE and not self._host.over:
            self._host.interrupt()

    def _begin_goodbye(self) -> None:
        self._move(State.GOODBYE)
        self._spoken_over = 0.0
        if self._host.caller_speaking:
            self._watch()

    # -- common -----------------------------------------------------------------------------------------------

    async def _say_to_the_end(self, text: str) -> bool:
        handle = self._host.say(text)
        if handle is None:
            return False
        return await played(handle) and await self._tail()

    async def _tail(self) -> bool:
        await asyncio.sleep(FAR_BUFFER_SECONDS)
        return not self._host.caller_speaking

    def _conclude(self, left: bool, *, why: str, began: float) -> None:
        duration = round((asyncio.get_running_loop().time() - began) * 1000)
        if self._host.over:
            return
        if left:
            self._move(State.DONE)
            self._note_finished("ended", duration=duration)
            self._host.finish(ConversationEnd("agent", why))
        else:
            self._asks = self._policy.min_attempts - 1
            self._move(State.OPEN)
            self._note_finished("rescued", duration=duration, left=self.left)

    def _move(self, to: State) -> None:
        if to not in MOVES[self._state]:
            raise IllegalMove(f"hang-up cannot go from {self._state.value} to {to.value}")
        self._state = to

    def _note_started(self, arguments: dict[str, str]) -> None:
        self._host.timeline.add(
            "agent", Kind.ACTION_STARTED, action=self._policy.name, type="hang_up", arguments=arguments
        )

    def _note_finished(self, outcome: str, *, duration: int = 0, **more: int) -> None:
        self._host.timeline.add(
            "agent",
            Kind.ACTION_FINISHED,
            action=self._policy.name,
            type="hang_up",
            outcome=outcome,
            duration_ms=duration,
            **more,
        )


async def played(handle: SpeechHandle, *, longest: float = GOODBYE_SECONDS) -> bool:
    """Wait until a speech was played to its end; False when it was interrupted. A speech that cannot be played at all
    (no provider, nobody pulls) counts as played after ``longest`` seconds at most."""
    try:
        async with asyncio.timeout(longest):
            await handle.wait_for_playout()
    except TimeoutError:
        return True
    return not handle.interrupted

"""The wait action: the agent says nothing for this turn and keeps listening, for as long as it may.

Specification, section 4.6. Asked for again and again it is one wait, with one budget, until the agent speaks. Knows
nothing of audio: what is music and what is speech was decided before a turn gets here.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
from collections.abc import Callable
from typing import Any, Final

from livekit.agents import RunContext, StopResponse, llm

from ...agents.actions import WaitAction
from ...agents.common import slug
from ...calls.timeline import Kind
from ...errors import IllegalMove
from ..host import Host
from .base import ToolSpec

RETRY_SECONDS = 1.0
SPOKEN_TO_SECONDS = 10.0
"""When the budget ends while somebody is talking, they are heard out for this long."""

WAITING = "Waiting. Nothing is said until somebody talks to you; what they say comes to you as their turn."
NO_MORE = (
    "Not done: you have waited as long as you may. Say something now: ask whether somebody is still there, or say "
    "goodbye and end the call."
)
TIME_IS_UP = (
    "You have waited for {seconds} seconds, as long as you may, and nobody has talked to you. Do not wait any more: "
    "ask in one short sentence whether somebody is still there, or say goodbye and end the call."
)


class State(enum.Enum):
    """Where waiting stands."""

    TALKING = "talking"
    """The agent is not waiting."""
    WAITING = "waiting"
    """It says nothing, nobody is asked anything, and the budget runs."""
    HEARD = "heard"
    """Somebody said something: the model decides whether to go on waiting. The budget runs on."""
    EXPIRED = "expired"
    """The budget is spent: the agent must speak."""


MOVES: Final[dict[State, frozenset[State]]] = {
    State.TALKING: frozenset({State.WAITING}),
    State.WAITING: frozenset({State.HEARD, State.EXPIRED, State.TALKING}),
    State.HEARD: frozenset({State.WAITING, State.EXPIRED, State.TALKING}),
    State.EXPIRED: frozenset({State.TALKING}),
}


class Wait:
    """The wait action of one conversation.

    Args:
        waiting: called when a wait begins.
        talked_to: whether somebody is talking, or has talked and may get an answer yet.
    """

    def __init__(
        self, host: Host, action: WaitAction, waiting: Callable[[], None], talked_to: Callable[[], bool]
    ) -> None:
        self._host = host
        self._action = action
        self._waiting = waiting
        self._talked_to = talked_to
        self._loop = asyncio.get_running_loop()
        self._state = State.TALKING
        self._quiet = contextlib.ExitStack()
        self._asked_at = 0.0
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def name(self) -> str:
        return self._action.name

    @property
    def state(self) -> State:
        return self._state

    def tool(self) -> ToolSpec:
        """The tool as the model sees it."""
        return ToolSpec(
            name=slug(self._action.name),
            description=self._action.description,
            parameters={"type": "object", "properties": {}, "required": [], "additionalProperties": False},
            body=self._asked,
            fills=False,
        )

    # -- what happens -----------------------------------------------------------------------------------------

    def heard(self) -> None:
        """Somebody has talked, or pressed keys: the model is being asked what to do."""
        if self._state is State.WAITING:
            self._move(State.HEARD)
            self._finished("heard")

    def spoke(self) -> None:
        """The agent speaks, whatever made it."""
        if self._state is not State.TALKING:
            waiting = self._state is State.WAITING
            self._stop_timer()
            self._move(State.TALKING)
            if waiting:
                self._finished("spoke")

    def close(self) -> None:
        """The conversation is over. Idempotent."""
        self._stop_timer()
        if self._state is State.WAITING:
            self._move(State.TALKING)
            self._finished("ended")

    # -- asking for it ----------------------------------------------------------------------------------------

    async def _asked(self, _raw_arguments: dict[str, Any], ctx: RunContext[Any]) -> str | llm.ToolResult | None:
        await ctx.wait_for_playout()  # "one moment, I am waiting" is said before
        if self._host.over or ctx.speech_handle.interrupted:
            raise StopResponse  # what they say over it decides
        if self._state is State.EXPIRED:
            self._started()
            self._note("refused", 0)
            return NO_MORE
        if self._state is not State.WAITING:  # asked for twice in one answer it is one wait
            self._begin()
        return llm.ToolResult(WAITING, reply_required=False)

    def _begin(self) -> None:
        now = self._loop.time()
        if self._state is State.TALKING:
            self._until = now + self._action.max_wait_seconds
            self._arm(self._action.max_wait_seconds)
        self._asked_at = now
        self._move(State.WAITING)
        self._waiting()
        self._host.nothing_owed()
        self._started()

    # -- the budget -------------------------------------------------------------------------------------------

    def _arm(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = self._loop.call_later(seconds, self._expire)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        if self._host.over or self._state not in (State.WAITING, State.HEARD):
            return
        talked_to = self._talked_to() or self._host.busy
        if self._state is State.WAITING and talked_to and self._loop.time() < self._until + SPOKEN_TO_SECONDS:
            self._arm(RETRY_SECONDS)
            return
        waiting = self._state is State.WAITING
        self._move(State.EXPIRED)
        if waiting:  # else the model is answering what was heard, and cannot wait any more
            self._finished("expired")
            self._host.prompt_model(TIME_IS_UP.format(seconds=self._action.max_wait_seconds))

    # -- common -----------------------------------------------------------------------------------------------

    def _move(self, to: State) -> None:
        if to not in MOVES[self._state]:
            raise IllegalMove(f"waiting cannot go from {self._state.value} to {to.value}")
        self._state = to
        if to is State.WAITING:
            self._quiet.enter_context(self._host.quiet())
        else:
            self._quiet.close()

    def _started(self) -> None:
        self._host.timeline.add("agent", Kind.ACTION_STARTED, action=self._action.name, type="wait", arguments={})

    def _finished(self, outcome: str) -> None:
        self._note(outcome, round((self._loop.time() - self._asked_at) * 1000))

    def _note(self, outcome: str, duration_ms: int) -> None:
        self._host.timeline.add(
            "agent",
            Kind.ACTION_FINISHED,
            action=self._action.name,
            type="wait",
            outcome=outcome,
            duration_ms=duration_ms,
        )

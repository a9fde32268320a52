"""The keypad action: the keys a model asks for are checked, pressed in one go, and noted as they left.

Specification, section 4.5. What the agent has begun to say is said to its end first: keys pressed into a sentence
would tear it apart, and a menu listens best to a caller who is silent. Once begun they are pressed to the end, also
when the other side talks over them, as a menu does.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from livekit.agents import RunContext, StopResponse, llm

from ...agents.actions import KEYPAD_SYMBOLS, KeypadAction
from ...agents.common import slug
from ...calls.timeline import Kind
from ...errors import LegClosed
from ..host import Host
from .base import ToolSpec

KEY_SECONDS = 0.2
PAUSE_SECONDS = {"w": 0.5, "W": 1.0}
PATIENCE_SECONDS = 10.0
"""Keys that cannot leave (the other side put us on hold, or does not answer our INFO) are given up this long after they
should have."""
ECHO_SECONDS = 1.0
"""A key that comes back this soon after it was pressed is our own (an exchange that echoes what it gets)."""

KEYS_DESCRIPTION = (
    "The keys in order, 1 to 32 of: digits, * and #; w pauses for half a second, W for a second. Nothing else."
)
PRESSED = "Pressed. Nothing needs to be said now: listen to what comes, or wait for it."
WRONG = (
    "Not done: keys is a text of 1 to 32 symbols out of 0-9, * and #, with w (half a second) or W (a second) for a "
    "pause. Nothing was pressed."
)
NOT_PRESSED = {
    "timeout": "The keys could not be pressed: the other side holds the call, or its exchange does not answer. Of "
    "these keys, these left: {sent}.",
    "left": "The call ended. Of these keys, these left: {sent}.",
    "no_line": "There is no telephone line here: nothing can be pressed.",
}


@runtime_checkable
class KeyPort(Protocol):
    """A port that can press keys."""

    @property
    def last_sent(self) -> str:
        """The keys of the last ``send_dtmf`` that really left."""
        ...

    @property
    def dtmf_method(self) -> str:
        """How a key would be pressed now: rfc4733, info or inband."""
        ...

    async def send_dtmf(self, digits: str) -> None:
        """Press ``0-9 * #``, ``w`` and ``W``. Raises LegClosed."""
        ...


class PressKeys:
    """The keypad action of one conversation.

    Args:
        port: what presses; None where nothing can (a chat in text).
        pressing: called when keys begin to be pressed.
    """

    def __init__(self, host: Host, action: KeypadAction, port: KeyPort | None, pressing: Callable[[], None]) -> None:
        self._host = host
        self._action = action
        self._port = port
        self._pressing = pressing
        self._one_at_a_time = asyncio.Lock()
        self._echo = ""
        self._echo_until = 0.0

    @property
    def name(self) -> str:
        return self._action.name

    def tool(self) -> ToolSpec:
        """The tool as the model sees it."""
        return ToolSpec(
            name=slug(self._action.name),
            description=self._action.description,
            parameters={
                "type": "object",
                "properties": {
                    "keys": {"type": "string", "pattern": KEYPAD_SYMBOLS.pattern, "description": KEYS_DESCRIPTION}
                },
                "required": ["keys"],
                "additionalProperties": False,
            },
            body=self._asked,
            fills=False,
        )

    def echoes(self, digit: str) -> bool:
        """Whether a key that came in is one of ours coming back."""
        at = self._echo.find(digit)
        if at < 0 or asyncio.get_running_loop().time() > self._echo_until:
            return False
        self._echo = self._echo[at + 1 :]
        return True

    async def _asked(self, raw_arguments: dict[str, Any], ctx: RunContext[Any]) -> str | llm.ToolResult | None:
        keys = _keys(raw_arguments)
        if keys is None:
            self._started("")
            self._finished("refused", 0.0, "", "")
            return WRONG
        if self._port is None:
            self._started(keys)
            self._finished("no_line", 0.0, "", "")
            return NOT_PRESSED["no_line"]
        try:
            await ctx.wait_for_playout()
        finally:
            talked_over = ctx.speech_handle.interrupted
            if talked_over:
                self._started(keys)
                self._finished("interrupted", 0.0, "", "")
        if talked_over or self._host.over:
            raise StopResponse  # what was said over the sentence decides
        told = self._begin(keys, self._port)
        try:
            result = await asyncio.shield(told)
        except asyncio.CancelledError:  # talked over: the model learns of it when it is done
            told.add_done_callback(self._tell_later)
            raise
        return llm.ToolResult(result, reply_required=result is not PRESSED)

    def _begin(self, keys: str, port: KeyPort) -> asyncio.Future[str]:
        told: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def carry_on() -> None:
            try:
                made = await self._press(keys, port)
            except BaseException:
                told.cancel()
                raise
            if not told.done():
                told.set_result(made)

        self._host.spawn(carry_on())
        return told

    def _tell_later(self, told: asyncio.Future[str]) -> None:
        if not told.cancelled():
            self._host.tell_model(f"The keys that {slug(self._action.name)} was asked for earlier: {told.result()}")

    # -- doing it ---------------------------------------------------------------------------------------------

    async def _press(self, keys: str, port: KeyPort) -> str:
        """Press them; what the model is told of it."""
        loop = asyncio.get_running_loop()
        async with self._one_at_a_time:
            self._pressing()
            self._host.nothing_owed()
            began, outcome = loop.time(), "interrupted"
            self._echo, self._echo_until = re.sub("[wW]", "", keys), float("inf")
            self._started(keys)
            try:
                with self._host.quiet():
                    async with asyncio.timeout(_seconds(keys) + PATIENCE_SECONDS):
                        await port.send_dtmf(keys)
                outcome = "sent"
            except LegClosed:
                outcome = "left"
            except TimeoutError:
                outcome = "timeout"
            finally:
                self._echo_until = loop.time() + ECHO_SECONDS
                self._finished(outcome, loop.time() - began, port.last_sent, port.dtmf_method)
        if outcome == "sent":
            return PRESSED
        return NOT_PRESSED[outcome].format(sent=port.last_sent or "none")

    # -- the timeline -----------------------------------------------------------------------------------------

    def _started(self, keys: str) -> None:
        arguments = {} if self._host.sensitive or not keys else {"keys": keys}
        self._host.timeline.add(
            "agent", Kind.ACTION_STARTED, action=self._action.name, type="keypad", arguments=arguments
        )

    def _finished(self, outcome: str, seconds: float, sent: str, method: str) -> None:
        shown = "" if self._host.sensitive else sent
        if sent:
            self._host.timeline.add("agent", Kind.DTMF, digits=shown, method=method)
        self._host.timeline.add(
            "agent",
            Kind.ACTION_FINISHED,
            action=self._action.name,
            type="keypad",
            outcome=outcome,
            duration_ms=round(seconds * 1000),
            digits=shown,
        )


def _keys(raw_arguments: Any) -> str | None:
    """The keys asked for; None when they are not keys."""
    keys = raw_arguments.get("keys") if isinstance(raw_arguments, dict) else None
    if isinstance(keys, int) and not isinstance(keys, bool):
        keys = str(keys)  # a model that is asked for "1" may well give 1
    if not isinstance(keys, str) or KEYPAD_SYMBOLS.fullmatch(keys.strip()) is None:
        return None
    return keys.strip()


def _seconds(keys: str) -> float:
    return sum(PAUSE_SECONDS.get(symbol, KEY_SECONDS) for symbol in keys)

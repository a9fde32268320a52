"""Pressing keys: which method, in which order, and what was sent when it was cut short. Driven by the sending clock."""

from __future__ import annotations

import asyncio
import collections
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from parlons.errors import LegClosed
from parlons.telephony.media.dtmf import (
    GAP_TICKS,
    INFO_CONTENT_TYPE,
    PAUSE_TICKS,
    PRESS_TICKS,
    EventPacket,
    EventSender,
    check_digits,
    info_body,
)
from parlons.telephony.media.tones import key_tone

DtmfMode = Literal["auto", "rfc4733", "info", "inband"]
SendInfo = Callable[[str, bytes], Awaitable[int]]

_TICK = 0.02


@dataclass(frozen=True, slots=True)
class Override:
    """What one tick sends in place of the source: an event, PCM, or (neither) silence."""

    event: EventPacket | None = None
    pcm: bytes | None = None


class _Press:
    """One symbol under way."""

    def __init__(self, symbol: str, tones: list[bytes] | None) -> None:
        self.symbol = symbol
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ticks = 0
        self._length = PAUSE_TICKS.get(symbol, PRESS_TICKS + GAP_TICKS)
        self._tones = tones
        self._event = EventSender(symbol) if tones is None and symbol not in PAUSE_TICKS else None

    @property
    def started(self) -> bool:
        return self._ticks > 0

    @property
    def done(self) -> bool:
        return self._ticks >= self._length

    def tick(self) -> Override | None:
        tick, self._ticks = self._ticks, self._ticks + 1
        if self._event is not None:
            return Override(event=self._event.next())
        if self._tones is not None:
            return Override(pcm=self._tones[tick] if tick < len(self._tones) else None)
        return None


class Keypad:
    """Sends digits one after the other. While a key is down, and in the gap after it, the audio source waits.

    ``method`` says how at this moment: the leg knows what was negotiated. ``last_sent`` holds the digits whose first
    packet (tone, INFO) left, also when ``send`` was cancelled.
    """

    def __init__(self, method: Callable[[], Literal["rfc4733", "info", "inband"]], rate: Callable[[], int]) -> None:
        self.send_info: SendInfo | None = None
        self.info_refused = False
        self.last_sent = ""
        self._method = method
        self._rate = rate
        self._presses: collections.deque[_Press] = collections.deque()
        self._turn = asyncio.Lock()
        self._closed = False

    @property
    def busy(self) -> bool:
        """A key is down, in its gap, or waits for its turn of the sending clock."""
        return bool(self._presses)

    async def send(self, digits: str) -> None:
        """Press ``digits`` (``0-9 * # A-D``, ``w`` 0.5 s, ``W`` 1 s) and return when the last gap is over.

        Raises ValueError before anything is sent, LegClosed when the leg ends meanwhile.
        """
        digits = "".join(symbol if symbol in PAUSE_TICKS else symbol.upper() for symbol in digits)
        check_digits(digits)
        async with self._turn:
            self.last_sent = ""
            for symbol in digits:
                if self._closed:
                    raise LegClosed("The leg ended while keys were being pressed.")
                method = self._method()
                if symbol in PAUSE_TICKS or method != "info":
                    await self._press(symbol, method)
                else:
                    await self._press_by_info(symbol)

    async def _press(self, symbol: str, method: str) -> None:
        tones = None
        if method == "inband" and symbol not in PAUSE_TICKS:
            tones = list(key_tone(symbol, self._rate(), PRESS_TICKS * _TICK))
        press = _Press(symbol, tones)
        self._presses.append(press)
        try:
            await press.finished
        except asyncio.CancelledError:
            if not press.started:  # a key that is down is let go properly: its end packets still leave
                with contextlib.suppress(ValueError):
                    self._presses.remove(press)
            raise

    async def _press_by_info(self, symbol: str) -> None:
        assert self.send_info is not None
        self.last_sent += symbol
        status = await self.send_info(INFO_CONTENT_TYPE, info_body(symbol))
        if 200 <= status < 300:
            await asyncio.sleep((PRESS_TICKS + GAP_TICKS) * _TICK)
        else:
            self.last_sent = self.last_sent[:-1]
            self.info_refused = True  # from now on by tones: the last resort
            await self._press(symbol, "inband")

    def tick(self) -> Override | None:
        """What this tick sends; None for the ordinary audio."""
        if not self._presses:
            return None
        press = self._presses[0]
        if not press.started and press.symbol not in PAUSE_TICKS:
            self.last_sent += press.symbol
        override = press.tick()
        if press.done:
            self._presses.popleft()
            if not press.finished.done():
                press.finished.set_result(None)
        return override

    def close(self) -> None:
        """The leg ended: whoever waits is told."""
        self._closed = True
        while self._presses:
            press = self._presses.popleft()
            if not press.finished.done():
                press.finished.set_exception(LegClosed("The leg ended while keys were being pressed."))

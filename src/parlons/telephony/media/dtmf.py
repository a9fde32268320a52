"""Keypad digits in both directions: RFC 4733 events, SIP INFO bodies, in-band tones (ITU-T Q.23). No socket, no timer:
the leg's sending clock drives a sender 20 ms at a time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DIGITS = "0123456789*#ABCD"
"""In the order of their event codes (RFC 4733 section 3.2)."""

SYMBOLS = frozenset(DIGITS + "wW")

PRESS_TICKS = 5
"""100 ms on, in ticks of 20 ms."""
GAP_TICKS = 5
"""100 ms off."""
PAUSE_TICKS = {"w": 25, "W": 50}

_OCTETS_PER_TICK = 160
_END = 0x80
_VOLUME = 10
_END_PACKETS = 3
_SAME_PRESS_SECONDS = 1.0

INFO_CONTENT_TYPE = "application/dtmf-relay"


def check_digits(digits: str) -> None:
    """Raises ValueError when ``digits`` holds anything but ``0-9 * # A-D w W``."""
    wrong = sorted(set(digits) - SYMBOLS)
    if wrong:
        raise ValueError(f"not keys of a telephone: {' '.join(wrong)}")


def info_body(digit: str, milliseconds: int = 100) -> bytes:
    """The body of an INFO request that presses ``digit``."""
    return f"Signal={digit}\r\nDuration={milliseconds}\r\n".encode()


def parse_info(content_type: str, body: bytes) -> str | None:
    """The digit in an INFO body of type application/dtmf-relay or application/dtmf; None when there is none."""
    text = body[:256].decode("latin-1")
    kind = content_type.split(";")[0].strip().lower()
    if kind == "application/dtmf-relay":
        found = re.search(r"^\s*Signal\s*=\s*(\S+)\s*$", text, re.IGNORECASE | re.MULTILINE)
        text = found.group(1) if found else ""
    elif kind != "application/dtmf":
        return None
    text = text.strip().upper()
    text = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}.get(text, text)
    return text if len(text) == 1 and text in DIGITS else None


@dataclass(frozen=True, slots=True)
class EventPacket:
    """One telephone-event packet: ``offset`` ticks of the RTP clock before now is its timestamp."""

    payload: bytes
    marker: bool
    offset: int


class EventSender:
    """The ticks of one digit by RFC 4733: 100 ms of event in 20 ms steps, three end packets 20 ms apart from the last
    step on, silence to the end of the gap. All packets of the digit carry the timestamp of its first."""

    def __init__(self, digit: str) -> None:
        self._event = DIGITS.index(digit)
        self._tick = 0

    @property
    def done(self) -> bool:
        """The gap after the digit is over."""
        return self._tick >= PRESS_TICKS + GAP_TICKS

    def next(self) -> EventPacket | None:
        """What to send at this tick in place of audio; None for silence."""
        tick, self._tick = self._tick, self._tick + 1
        if tick >= PRESS_TICKS - 1 + _END_PACKETS:
            return None
        ended = tick >= PRESS_TICKS - 1
        duration = min(tick + 1, PRESS_TICKS) * _OCTETS_PER_TICK
        flags = (_END if ended else 0) | _VOLUME
        payload = bytes((self._event, flags, duration >> 8, duration & 0xFF))
        return EventPacket(payload, tick == 0, tick * _OCTETS_PER_TICK)


class EventReceiver:
    """Digits out of telephone-event packets: one for each new timestamp, whichever of its packets comes first."""

    def __init__(self) -> None:
        self._timestamp: int | None = None
        self._event = 0
        self._duration = 0

    def packet(self, timestamp: int, payload: bytes) -> tuple[str | None, bool]:
        """(digit that begins here or None, whether the key is still down)."""
        if len(payload) < 4 or payload[0] >= len(DIGITS):
            return None, False
        event, ended, duration = payload[0], bool(payload[1] & _END), payload[2] << 8 | payload[3]
        if self._timestamp is not None:
            ahead = (timestamp - self._timestamp) & 0xFFFFFFFF
            if ahead == 0:
                self._duration = max(self._duration, duration)
                return None, not ended
            if ahead >= 1 << 31:
                return None, False  # a packet of a digit long counted
            if event == self._event and ahead == self._duration == 0xFFFF:
                self._timestamp, self._duration = timestamp, duration
                return None, not ended  # the next segment of a very long press (RFC 4733 section 2.5.1.3)
        self._timestamp, self._event, self._duration = timestamp, event, duration
        return DIGITS[event], not ended


class PressFilter:
    """Counts a press once when a peer sends it both as an event and by INFO."""

    def __init__(self) -> None:
        self._unmatched: list[tuple[float, str, str]] = []

    def accept(self, now: float, method: str, digit: str) -> bool:
        """Whether this is a press of its own, rather than another report of one that came by another method."""
        self._unmatched = [seen for seen in self._unmatched if now - seen[0] < _SAME_PRESS_SECONDS]
        for seen in self._unmatched:
            if seen[1] != method and seen[2] == digit:
                self._unmatched.remove(seen)
                return False
        self._unmatched.append((now, method, digit))
        return True

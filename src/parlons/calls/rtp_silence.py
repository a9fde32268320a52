"""Sides that send no audio any more: noted when it lasts, and given up when it lasts too long."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from parlons.telephony.types import AudioPort

from .timeline import Actor, Kind, Timeline

NOTED_SECONDS = 5.0
LIMIT_SECONDS = 60.0
"""No packet for this long from a side that is not holding us: it is gone (specification, section 4.3)."""
_LOOK_SECONDS = 1.0


async def silent_side(sides: Mapping[Actor, AudioPort], timeline: Timeline) -> Actor:
    """Returns whose packets have stayed away for too long; notes shorter silences of every side."""
    noted: set[Actor] = set()
    while True:
        for actor, media in sides.items():
            seconds = media.silent_seconds
            if seconds >= LIMIT_SECONDS:
                return actor
            silent = seconds >= NOTED_SECONDS
            if silent != (actor in noted):
                noted ^= {actor}
                timeline.add(actor, Kind.LEG, leg=actor, event="rtp_silence" if silent else "rtp_resumed")
        await asyncio.sleep(_LOOK_SECONDS)

"""One connection and a browser, without a server between: sound both ways, and nothing left behind."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import Any, cast

import numpy as np
import pytest
from aiortc import RTCRtpReceiver, RTCSessionDescription

from parlons.errors import InvalidDocument
from parlons.webrtc.connection import FRAME_SAMPLES, Connection
from parlons.webrtc.frames import MOST
from tests.support.audio import likeness, rms, speech

from .browser import Browser
from .test_offers import OFFER

LOUD = (np.sin(np.arange(FRAME_SAMPLES) * 2 * np.pi * 500 / 16_000) * 8000).astype("<i2").tobytes()


async def pair() -> tuple[Connection, Browser]:
    """Both ends, connected."""
    page = Browser(cast("Any", None))
    connection = Connection(["127.0.0.1"])
    answer = await connection.answer(await page.offer())
    await page.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await asyncio.wait_for(connection.heard, 5)
    return connection, page


async def closed(connection: Connection, page: Browser, before: set[asyncio.Task[Any]]) -> None:
    """Close both; nothing may go on."""
    await connection.close()
    await connection.close()
    await page.close()
    for _ in range(100):
        if not asyncio.all_tasks() - before and "audio-decoder" not in {t.name for t in threading.enumerate()}:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(asyncio.all_tasks() - before)


async def test_sound_goes_both_ways_and_nothing_stays() -> None:
    before = asyncio.all_tasks()
    connection, page = await pair()
    answer = page.peer.remoteDescription.sdp
    assert "opus" in answer
    assert "PCMA" not in answer
    assert {line.split()[4] for line in answer.splitlines() if line.startswith("a=candidate")} == {"127.0.0.1"}
    page.say("quels sont vos horaires")
    heard = []
    for _ in range(75):
        await asyncio.sleep(0.02)
        connection.to_browser.put(LOUD)
        heard.append(connection.from_browser.take())
    spoken = [frame for frame in heard if frame is not None and rms(np.frombuffer(frame, "<i2")) > 300]
    assert len(spoken) > 20
    assert all(len(frame) == 2 * FRAME_SAMPLES for frame in heard if frame is not None)
    loud = [at for at, pcm in page.frames if rms(pcm) > 3000]
    assert len(loud) > 50
    assert loud[-1] - loud[0] < 0.02 * len(loud) + 0.3, "without gaps"
    await closed(connection, page, before)


async def test_words_get_through_a_network_that_loses_packets() -> None:
    """5 % of them; what is late by more than a moment is dropped, so the delay stays what it was."""
    before = asyncio.all_tasks()
    connection, page = await pair()
    page.lose(0.05)
    page.say("quels sont vos horaires")
    loop = asyncio.get_running_loop()
    due, heard = loop.time(), []
    for _ in range(120):
        due += 0.02
        await asyncio.sleep(max(0.0, due - loop.time()))
        heard.append(connection.from_browser.take() or bytes(2 * FRAME_SAMPLES))
        assert len(connection.from_browser) <= MOST
    words = speech("quels sont vos horaires", rate=16_000)
    found = likeness(np.frombuffer(b"".join(heard), "<i2"), words, 16_000)
    assert found.score > 0.6
    assert found.at < 0.6, "seconds late"
    await closed(connection, page, before)


async def test_a_page_that_is_closed_says_so() -> None:
    before = asyncio.all_tasks()
    connection, page = await pair()
    await page.close()
    assert await asyncio.wait_for(connection.closed, 5) is True
    await closed(connection, page, before)


async def test_an_offer_that_passes_and_cannot_be_used_is_said_and_leaves_nothing() -> None:
    before = asyncio.all_tasks()
    page = Browser(cast("Any", None))
    for offer in (OFFER, OFFER.replace("a=setup:actpass", "a=setup:nonsense"), OFFER.replace("40000 typ", "x typ")):
        connection = Connection(["127.0.0.1"])
        try:
            with pytest.raises(InvalidDocument, match="sdp"):
                await connection.answer(offer.replace("a=mid:0", "a=mid"))
        finally:
            await connection.close()
    await closed(Connection([]), page, before)


async def test_our_jitter_buffer_is_where_the_library_looks_for_it() -> None:
    """The library has no option for it: an update that moves it must not pass unseen."""
    receiver = Browser(cast("Any", None)).peer.getTransceivers()[0].receiver
    assert isinstance(receiver, RTCRtpReceiver)
    assert "_RTCRtpReceiver__jitter_buffer" in vars(receiver)


def test_a_server_without_browser_calls_does_not_load_it() -> None:
    seen = "import sys, parlons.app, parlons.api.app; sys.exit('aiortc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", seen], check=False).returncode == 0

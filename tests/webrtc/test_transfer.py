"""A caller at a browser is put through to a telephone, and both hear one another."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import pytest

from tests.sip import agents
from tests.support import audio
from tests.support.phone import Phone
from tests.support.server import ParlonsServer

from .browser import RATE, Browser

pytestmark = pytest.mark.peer

SUPPORT = {
    "type": "transfer",
    "name": "Horaires",
    "description": "L'appelant demande les horaires.",
    "sip_connection_id": "pbx",
    "destinations": [{"extension": "12", "description": "Technicien"}],
}
OF_A_CALL = ("parlons_calls_active", "parlons_calls_outbound_legs", "parlons_media_legs", "parlons_media_ports_in_use")
"""Gauges of what is given back with the call; its SIP transactions linger for a minute."""
WORDS = "Ici le support, je vous écoute."


async def test_a_browser_is_put_through_to_a_telephone(tmp_path: Path) -> None:
    async with Phone() as phone:
        configuration = {
            "agents": {"lab": agents.agent(actions=[SUPPORT], prompt="", sip_connection_id="pbx")},
            "sip_connections": {"pbx": agents.trunk(port=phone.port, from_mode="caller")},
        }
        server = ParlonsServer(tmp_path, configuration, rtp_ports=range(37440, 37480))
        await asyncio.to_thread(server.start)
        try:
            (key,) = re.findall(r"shown this once: (\S+)", server.log())
            base = f"http://127.0.0.1:{server.http_port}"
            async with httpx.AsyncClient(base_url=base, headers={"Authorization": f"Bearer {key}"}) as http:
                await _put_through(http, phone)
            await asyncio.to_thread(server.until, lambda: not any(map(server.gauges().get, OF_A_CALL)), 10, "released")
            server.assert_no_bug()
        finally:
            await asyncio.to_thread(server.stop)


async def _put_through(http: httpx.AsyncClient, phone: Phone) -> None:
    async with Browser(http) as page:
        await page.call("lab", caller="+33612345678")
        await page.listen()
        page.say("quels sont vos horaires")
        try:
            other = await asyncio.wait_for(phone.incoming.get(), 20)
        except TimeoutError:
            raise AssertionError(f"nobody was rung: {await page.words('caller')}") from None
        shown = str(other.invitation.headers)
        assert "612345678" not in shown, "the network is not shown a number that somebody only pretends to have"
        await other.answer()
        await asyncio.sleep(0.5)
        other.rtp.say(audio.speech(WORDS))
        heard = await page.listen()
        assert audio.likeness(heard, audio.speech(WORDS, rate=RATE), RATE).score > 0.6
        since = asyncio.get_running_loop().time()
        page.say("bonjour, ma ligne ne marche plus")
        await page.said()
        await other.rtp.wait_quiet()
        said = audio.speech("bonjour, ma ligne ne marche plus", rate=other.rtp.rate)
        assert audio.likeness(other.rtp.heard(since), said, other.rtp.rate).score > 0.6
        await page.press("5")
        assert await other.rtp.wait_digits(1) == "5"
        await other.bye()
        record = await page.ended()
        assert (record["status"], record["ended_by"]) == ("transferred", "destination"), record

"""``parlons call AGENT`` without a number: the line calls itself over real SIP and RTP and says what it heard."""

from __future__ import annotations

import asyncio
from array import array

import typer

from parlons import logs
from parlons.calls.dialling import to_uri
from parlons.settings import Settings
from parlons.telephony.media.engine import MediaEngine
from parlons.telephony.sip.endpoint import Endpoint
from parlons.telephony.types import FRAME_SECONDS, Outcome

LISTEN_SECONDS = 6.0
SPEECH_LEVEL = 300
"""Mean absolute sample above which a frame counts as speech (about -40 dBFS)."""


class Ear:
    """Counts what it hears."""

    def __init__(self) -> None:
        self.frames = 0
        self.loud = 0

    def __call__(self, pcm: bytes) -> None:
        samples = array("h", pcm)
        self.frames += 1
        self.loud += sum(map(abs, samples)) > SPEECH_LEVEL * len(samples)

    @property
    def seconds_of_speech(self) -> float:
        """How long something louder than silence was heard."""
        return self.loud * FRAME_SECONDS


async def selftest(settings: Settings, agent_id: str) -> int:
    """Call the agent on this machine's own server. Returns 0 when it answered and was heard."""
    logs.configure("error")
    host = "127.0.0.1"
    endpoint = Endpoint(host=host, port=0)
    media = MediaEngine(
        host=host, public_address=host, port_min=settings.rtp_port_max + 1, port_max=settings.rtp_port_max + 64
    )
    await media.start()
    await endpoint.start()
    try:
        leg = endpoint.invite(to_uri(f"sip:{agent_id}@{host}:{settings.sip_port}", shown="selftest"))
        rtp = media.open()
        leg.attach(rtp)
        ear = Ear()
        rtp.sink = ear
        loop = asyncio.get_running_loop()
        started = loop.time()
        outcome = await leg.dial()
        if outcome is not Outcome.ANSWERED:
            code = leg.end.code if leg.end else None
            typer.secho(f"not answered: {outcome}{f' ({code})' if code else ''}", fg="red")
            typer.echo("    Is the server running, and is the agent published? See `parlons doctor`.")
            return 1
        typer.echo(f"answered in {(loop.time() - started) * 1000:.0f} ms with {rtp.codec}")
        await asyncio.sleep(LISTEN_SECONDS)
        await leg.hang_up("self-test over")
        heard = ear.seconds_of_speech
        typer.echo(f"heard {heard:.1f} s of speech in {LISTEN_SECONDS:.0f} s, then hung up")
        if heard < 0.2:
            typer.secho("nothing was heard: does the agent have a greeting, and does its voice work?", fg="red")
            return 1
        return 0
    finally:
        await endpoint.stop()
        await media.stop()

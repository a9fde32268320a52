"""An interactive voice response system as a peer: it answers, reads a menu, waits for a key by the one way it knows,
plays hold music, and puts somebody on who talks. Also an answering machine.

Plays Debian's hold music (see ``scripts/test-packages``); the voices are espeak-ng's.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from tests.support.audio import NARROW, Pcm, levels, read_wav, silence, speech
from tests.support.phone import Address
from tests.support.phone_call import Call
from tests.support.phone_rtp import EVENT
from tests.support.sip_text import Message

MUSIC = Path("/usr/share/asterisk/moh/macroform-the_simplicity.wav")
Method = Literal["rfc4733", "info", "inband"]
PAUSE = 1.3
"""Seconds between two choices of the menu: longer than the delay that ends a turn elsewhere in a call."""
MENUS = {
    "fr": ("Bienvenue chez Acme. Pour les ventes, tapez un.", "Pour le service après-vente, tapez deux, puis dièse."),
    "en": ("Welcome to Acme. For sales, press one.", "For customer service, press two, then the pound key."),
}
HUMANS = {
    "fr": "Bonjour, le secrétariat à votre service, que puis-je faire pour vous ?",
    "en": "Good morning, reception speaking, how can I help you today?",
}
VOICEMAIL = "Vous êtes bien sur le répondeur du laboratoire. Laissez votre message après le signal sonore."
_LOW, _HIGH = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
_PAD = ("123A", "456B", "789C", "*0#D")


def hold_music(seconds: float) -> Pcm:
    """Music, from the middle of a piece."""
    pcm, rate = read_wav(MUSIC)
    start = 60 * rate
    return pcm[start : start + round(seconds * rate)]


def tone_keys(pcm: Pcm) -> str:
    """Keys heard as pairs of tones (ITU-T Q.23), by the two strongest of each 20 ms; one for each stretch."""
    found, before, size = "", "", NARROW // 50
    level = levels(pcm)
    for number in range(len(pcm) // size):
        frame = pcm[number * size : (number + 1) * size].astype(np.float64)
        power = np.abs(np.fft.rfft(frame * np.hanning(size), NARROW))
        low, high = (max(group, key=lambda hertz: power[hertz]) for group in (_LOW, _HIGH))
        rest = np.median(power[600:1700])
        key = _PAD[_LOW.index(low)][_HIGH.index(high)]
        if level[number] < 300 or min(power[low], power[high]) < 20 * rest:
            key = ""
        if key and key != before:
            found += key
        before = key
    return found


def take(call: Call, method: Method) -> None:
    """Make the phone know one way of hearing keys, before it answers."""
    call.dtmf = method == "rfc4733"

    def refuse(request: Message, source: Address) -> bool:
        if request.method == "INFO":
            call.phone.respond(request, source, 415, "Unsupported Media Type")
        return request.method == "INFO"

    if method == "inband":
        call.hook = refuse


def keys(call: Call, method: Method) -> str:
    """What was pressed, as this peer heard it."""
    if method == "info":
        return "".join(call.info_digits)
    return "".join(call.rtp.digits) if method == "rfc4733" else tone_keys(call.rtp.heard())


@dataclass
class Menu:
    """What happened, in the loop's time."""

    call: Call
    language: str
    method: Method
    menu_over: float = 0.0
    pressed: str = ""
    pressed_at: float = 0.0
    hold_over: float = 0.0
    human_over: float = 0.0
    answers: list[float] = field(default_factory=list)
    """When each loud packet of the agent's came."""

    async def play(self, wanted: str, hold_seconds: float) -> None:
        """All of it; returns when the agent has spoken to the human and is quiet."""
        call, loop = self.call, asyncio.get_running_loop()
        take(call, self.method)
        await call.answer()
        first, second = (speech(words, self.language) for words in MENUS[self.language])
        call.rtp.say(np.concatenate([silence(0.5), first, silence(PAUSE), second]))
        await call.rtp.said()
        self.menu_over = loop.time()
        async with asyncio.timeout(8):
            while keys(call, self.method) != wanted:  # noqa: ASYNC110 (heard on the wire)
                await asyncio.sleep(0.1)
        self.pressed_at = loop.time()
        call.rtp.say(np.concatenate([hold_music(hold_seconds), silence(0.3)]))
        await call.rtp.said()
        self.hold_over = loop.time()
        call.rtp.say(speech(HUMANS[self.language], self.language))
        await call.rtp.said()
        self.human_over = loop.time()
        await call.rtp.wait_speech(8, since=self.human_over)
        await call.rtp.wait_quiet(0.8)
        self.pressed = keys(call, self.method)
        self.answers = list(call.rtp.speech_at)

    def spoke_early(self) -> list[float]:
        """When the agent made a sound before the human had spoken; its keys are no words."""
        typing = (self.menu_over, self.pressed_at + 0.5) if self.method == "inband" else (0.0, 0.0)
        return [at for at in self.answers if at < self.human_over and not typing[0] <= at <= typing[1]]


async def answering_machine(call: Call) -> float:
    """A greeting, a beep, and silence until we are hung up on; when the beep was over."""
    take(call, "rfc4733")
    await call.answer()
    at = np.arange(round(0.5 * NARROW)) / NARROW
    beep = (np.sin(2 * np.pi * 1000 * at) * 8000).astype(np.int16)
    call.rtp.say(np.concatenate([silence(0.4), speech(VOICEMAIL), silence(0.6), beep]))
    await call.rtp.said()
    over = asyncio.get_running_loop().time()
    await call.wait_end(25)
    return over


def packets_a_key(call: Call) -> list[int]:
    """How many telephone-event packets came for each key, and so how often its end was repeated."""
    count: dict[int, int] = {}
    for packet in call.rtp.packets:
        if packet.payload_type == (call.rtp.event_type or EVENT):
            count[packet.timestamp] = count.get(packet.timestamp, 0) + 1
    return list(count.values())

"""How well callers of the demo agents are understood over a whole call path: A-law, lost packets, detector, recogniser.

    python -m tests.conversation.embedded.calls

A caller speaks after a second of a silent line, in voices and at speeds (words a minute) of their own; one packet in
twenty may be lost and concealed. The conversation's own detector cuts the utterances, and everything recognised counts.
Real people are harder than espeak-ng.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from livekit import rtc
from livekit.agents import vad

from parlons.conversation.embedded import decoder, espeak
from parlons.conversation.embedded.recogniser import vocabulary
from parlons.conversation.embedded.resample import Samples, from_pcm, resample, to_pcm
from parlons.conversation.embedded.words import best_line, holds_any, lines, words
from parlons.conversation.vad import new_detector
from parlons.telephony.media.plc import Concealer
from tests.support.audio import g711_decode, g711_encode

from .accuracy import ENGLISH as OTHER_ENGLISH
from .accuracy import FRENCH as OTHER_FRENCH

RATE = 8000
FRAME = 160
AGENTS = Path(__file__).parents[3] / "examples/accueil/agents"
SPEEDS = (130, 140, 150, 160, 170, 180)
GOODBYE = "goodbye"
OTHER = "other"


@dataclass(frozen=True)
class Caller:
    """Callers of one agent: their voices, what they say, and what the agent should take it for: ``GOODBYE``, or a
    word of the answer which they want."""

    language: str
    agent: str
    voices: tuple[str, ...]
    says: tuple[tuple[str, str], ...]
    goodbyes: tuple[str, ...]
    other: tuple[str, ...]

    @property
    def prompt(self) -> str:
        return (AGENTS / self.agent).read_text("utf-8")


FRENCH = Caller(
    "fr-FR",
    "accueil.yaml",
    ("roa/fr", "roa/fr+m3", "roa/fr+f2", "roa/fr+m7", "roa/fr+f3"),
    (
        ("au revoir", GOODBYE),
        ("merci, au revoir", GOODBYE),
        ("quels sont vos horaires", "dix-neuf"),
        ("quelle est votre adresse", "Lilas"),
        ("vos prix s'il vous plaît", "croissant"),
    ),
    ("au revoir", "bonne journée", "bonne soirée", "à bientôt", "bye", "ce sera tout", "c'est tout"),
    (
        *OTHER_FRENCH.outside,
        "je ne sais pas",
        "mon numéro est le zéro six",
        "vous m'entendez",
        "je voudrais savoir si vous avez du pain complet",
        "je vous appelle pour ma fille",
        "est-ce que le patron est là",
        "voilà",
        "euh attendez je cherche mes lunettes",
    ),
)
ENGLISH = Caller(
    "en-GB",
    "reception.yaml",
    ("gmw/en", "gmw/en+m3", "gmw/en+f2", "gmw/en-US", "gmw/en-GB-x-rp+f3"),
    (
        ("goodbye", GOODBYE),
        ("thank you, goodbye", GOODBYE),
        ("what are your opening hours", "evening"),
        ("what is your address", "Street"),
        ("how much is it", "pounds"),
    ),
    ("goodbye", "bye", "bye bye", "see you", "have a nice day", "that's all", "that is all"),
    (
        *OTHER_ENGLISH.outside,
        "I do not know",
        "my number is zero six two",
        "can you hear me",
        "do you have any wholemeal bread",
        "I am calling for my daughter",
        "is the boss there",
        "well you know",
        "wait I am looking for my glasses",
    ),
)


def line(text: str, voice: str, speed: int, *, loss: float = 0.0, seed: int = 0) -> bytes:
    """What the agent's end of a call receives: s16le PCM at 8 kHz, a second of silence around the words. ``loss`` is
    the share of packets that never come or come too late."""
    spoken, rate = espeak.speak_blocking(text, voice, speed=speed / espeak.WORDS_PER_MINUTE)
    speech = np.frombuffer(to_pcm(resample(spoken, rate, RATE)), "<i2")
    silence = np.zeros(RATE, np.int16)
    sent = np.concatenate([silence, speech, silence, np.zeros(-len(speech) % FRAME, np.int16)])
    received = g711_decode("PCMA", g711_encode("PCMA", sent)).astype("<i2")
    random, concealer = np.random.default_rng(seed), Concealer(RATE)
    out = []
    for start in range(0, len(received), FRAME):
        frame = received[start : start + FRAME].tobytes()
        out.append(concealer.conceal(FRAME) if random.random() < loss else concealer.good(frame))
    return b"".join(out)


async def utterances(pcm: bytes) -> list[Samples]:
    """The line as the conversation's detector cuts it for a recogniser of whole utterances."""
    stream = new_detector(600).stream()
    for start in range(0, len(pcm), FRAME * 2):
        stream.push_frame(rtc.AudioFrame(pcm[start : start + FRAME * 2], RATE, 1, FRAME))
    stream.end_input()
    found = []
    async for event in stream:
        if event.type == vad.VADEventType.END_OF_SPEECH:
            found.append(from_pcm(bytes(rtc.combine_audio_frames(event.frames).data)))
    await stream.aclose()
    return found


@dataclass
class Score:
    """Calls understood of calls made, by what was said; and the CPU which recognition took."""

    right: dict[str, int]
    tries: dict[str, int]
    wrong: list[tuple[str, str, int, list[str]]]
    false_goodbyes: int = 0
    cpu_seconds: float = 0.0
    audio_seconds: float = 0.0

    def share(self, *said: str) -> float:
        return sum(self.right[s] for s in said) / sum(self.tries[s] for s in said)


async def measure(
    caller: Caller, voices: Iterable[str], speeds: Iterable[int], *, loss: float = 0.0, other: bool = True
) -> Score:
    """Make the calls, and count."""
    grammar = decoder.grammar(caller.language, vocabulary([caller.prompt]))
    answers = lines(caller.prompt)
    score = Score({}, {}, [])
    talk = [*caller.says, *((text, OTHER) for text in caller.other if other)]
    for number, (voice, speed) in enumerate((v, s) for v in voices for s in speeds):
        for text, meant in talk:
            heard = []
            for samples in await utterances(line(text, voice, speed, loss=loss, seed=number)):
                before = time.thread_time()
                heard.append(grammar.recognise(samples, RATE).text)
                score.cpu_seconds += time.thread_time() - before
                score.audio_seconds += len(samples) / RATE
            said = [words(h) for h in heard if h]
            goodbye = any(holds_any(s, caller.goodbyes) for s in said)
            found = [best[0].answer for s in said if (best := best_line(s, answers))]
            if meant == GOODBYE:
                good = goodbye
            elif meant == OTHER:
                good = not said
                score.false_goodbyes += goodbye
            else:
                good = not goodbye and bool(found) and all(meant in answer for answer in found)
            kind = OTHER if meant == OTHER else text
            score.tries[kind] = score.tries.get(kind, 0) + 1
            score.right[kind] = score.right.get(kind, 0) + good
            if not good:
                score.wrong.append((text, voice, speed, heard))
    return score


async def main() -> None:
    for caller in (FRENCH, ENGLISH):
        for loss in (0.0, 0.05):
            score = await measure(caller, caller.voices, SPEEDS, loss=loss)
            cost = 1000 * score.cpu_seconds / score.audio_seconds
            sys.stdout.write(f"{caller.language}, {loss:.0%} lost: {cost:.0f} ms of CPU per second of audio\n")
            for said in score.tries:
                sys.stdout.write(f"    {said}: {score.share(said):.0%} of {score.tries[said]}\n")
            sys.stdout.write(f"    other speech taken for a goodbye: {score.false_goodbyes}\n")
            for text, voice, speed, heard in score.wrong if "-v" in sys.argv else ():
                sys.stdout.write(f"        {text!r} ({voice}, {speed}) -> {heard}\n")


if __name__ == "__main__":
    asyncio.run(main())

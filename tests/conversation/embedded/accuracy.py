"""How well the embedded recogniser hears, over a telephone.

    python -m tests.conversation.embedded.accuracy

Phrases are spoken by espeak-ng in voices and at speeds that its pronunciations were not learned from, coded as G.711
A-law with noise 25 dB below the speech, and recognised in this process. Real people are harder than espeak-ng.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

import numpy as np

from parlons.conversation.embedded import decoder, espeak
from parlons.conversation.embedded.resample import Samples, level, resample
from parlons.conversation.embedded.words import holds, words

RATE = 8000
A = 87.6


@dataclass(frozen=True)
class Language:
    tag: str
    voices: tuple[str, ...]
    terms: tuple[str, ...]
    telephone: tuple[str, ...]
    sentences: tuple[tuple[str, str], ...]
    outside: tuple[str, ...]


FRENCH = Language(
    "fr-FR",
    ("roa/fr+m3", "roa/fr+f3"),
    (
        "horaires", "ouverture", "adresse", "où êtes-vous", "rendez-vous", "prix", "tarif", "conseiller",
        "support", "facture", "livraison",
    ),
    ("oui", "non", "bonjour", "au revoir", "merci"),
    (
        ("quels sont vos horaires", "horaires"),
        ("je voudrais les horaires s'il vous plaît", "horaires"),
        ("je voudrais un rendez-vous", "rendez-vous"),
        ("quelle est votre adresse", "adresse"),
        ("je voudrais parler à un conseiller", "conseiller"),
        ("passez-moi le support s'il vous plaît", "support"),
        ("merci au revoir", "au revoir"),
        ("bonjour je voudrais une facture", "facture"),
        ("non merci", "non merci"),
    ),
    (
        "le chat dort sur le canapé", "il fait très beau aujourd'hui", "mon frère mange une pomme",
        "la voiture rouge roule vite", "je regarde la télévision ce soir", "les enfants jouent dans le jardin",
        "tu as vu le film hier", "ils ont gagné le match",
    ),
)  # fmt: skip
ENGLISH = Language(
    "en-GB",
    ("gmw/en+m3", "gmw/en+f3"),
    (
        "opening hours", "address", "where are you", "appointment", "price", "support", "invoice", "delivery",
        "an agent", "operator",
    ),
    ("yes", "no", "hello", "goodbye", "thank you"),
    (
        ("what are your opening hours", "opening hours"),
        ("I would like the opening hours please", "opening hours"),
        ("I would like an appointment", "appointment"),
        ("what is your address", "address"),
        ("can I speak to an agent please", "an agent"),
        ("how much is the delivery", "delivery"),
        ("thank you goodbye", "goodbye"),
        ("hello I need my invoice", "invoice"),
    ),
    (
        "the cat sleeps on the sofa", "it is very sunny today", "my brother eats an apple",
        "the red car drives fast", "the children play in the garden", "did you see the movie yesterday",
        "they won the match last week", "she is reading a long book",
    ),
)  # fmt: skip


def a_law(samples: Samples) -> Samples:
    """There and back through G.711 A-law's curve, at 7 bits and a sign."""
    size = np.abs(samples)
    bent = np.where(size < 1 / A, A * size, 1 + np.log(np.maximum(A * size, 1e-9))) / (1 + np.log(A))
    bent = np.round(bent * 127) / 127
    back = np.where(bent < 1 / (1 + np.log(A)), bent * (1 + np.log(A)), np.exp(bent * (1 + np.log(A)) - 1)) / A
    out: Samples = (np.sign(samples) * back).astype(np.float32)
    return out


def telephone(text: str, voice: str, speed: float = 1.0, *, noise_db: float = 25, seed: int = 1) -> Samples:
    """A text as it comes out of a telephone, with 0.3 s of the room before and 0.4 s after."""
    samples, rate = espeak.speak_blocking(text, voice, speed=speed)
    speech = resample(level(samples, rate), rate, RATE) * np.float32(0.5)
    padded = np.concatenate([np.zeros(2400, np.float32), speech, np.zeros(3200, np.float32)])
    loud = 10 ** (-16 / 20) * 0.5 * 10 ** (-noise_db / 20)
    noisy: Samples = padded + np.random.default_rng(seed).normal(0, loud, len(padded)).astype(np.float32)
    return a_law(noisy)


def not_speech(seed: int) -> Samples:
    """Two seconds of hiss, or of a tune."""
    random = np.random.default_rng(seed)
    if seed % 2:
        return a_law(random.normal(0, 0.02 * (1 + seed % 4), RATE * 2).astype(np.float32))
    notes = np.repeat(random.choice([262, 330, 392, 440, 523], 8), RATE // 4)
    return a_law((0.1 * np.sin(2 * np.pi * np.cumsum(notes) / RATE)).astype(np.float32))


@dataclass
class Score:
    """Right answers over tries, by kind, with what went wrong."""

    right: dict[str, int] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    wrong: list[tuple[str, str]] = field(default_factory=list)
    cpu_seconds: float = 0.0
    audio_seconds: float = 0.0

    def note(self, kind: str, good: bool, said: str, heard: str) -> None:
        self.tries[kind] = self.tries.get(kind, 0) + 1
        self.right[kind] = self.right.get(kind, 0) + good
        if not good:
            self.wrong.append((said, heard))

    def share(self, kind: str) -> float:
        return self.right[kind] / self.tries[kind]


def measure(language: Language, speeds: tuple[float, ...] = (0.9, 1.1)) -> Score:
    """Say everything, and count."""
    grammar = decoder.grammar(language.tag, language.terms)
    score = Score()

    def hear(samples: Samples) -> str:
        before = time.thread_time()
        heard = grammar.recognise(samples, RATE).text
        score.cpu_seconds += time.thread_time() - before
        score.audio_seconds += len(samples) / RATE
        return heard

    def right(heard: str, meant: str) -> bool:
        others = [t for t in (*language.terms, *language.telephone) if t != meant and not holds(words(meant), t)]
        heard_words = words(heard)
        return holds(heard_words, meant) and not any(holds(heard_words, t) for t in others if t in language.terms)

    for voice in language.voices:
        for speed in speeds:
            for phrase in (*language.terms, *language.telephone):
                heard = hear(telephone(phrase, voice, speed))
                score.note("phrase", right(heard, phrase), phrase, heard)
            for sentence, meant in language.sentences:
                heard = hear(telephone(sentence, voice, speed))
                score.note("sentence", right(heard, meant), sentence, heard)
        for sentence in language.outside:
            heard = hear(telephone(sentence, voice))
            score.note("outside", not heard, sentence, heard)
    for seed in range(12):
        heard = hear(not_speech(seed))
        score.note("no speech", not heard, f"sound {seed}", heard)
    return score


def main() -> None:
    for language in (FRENCH, ENGLISH):
        score = measure(language)
        figures = ", ".join(f"{k} {score.right[k]}/{score.tries[k]} ({score.share(k):.0%})" for k in score.tries)
        cost = 1000 * score.cpu_seconds / score.audio_seconds
        sys.stdout.write(f"{language.tag}: {figures}; {cost:.0f} ms of CPU per second of audio\n")
        for said, heard in score.wrong:
            sys.stdout.write(f"    {said!r} -> {heard!r}\n")


if __name__ == "__main__":
    main()

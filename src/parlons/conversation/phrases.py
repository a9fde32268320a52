"""What the agent says when nobody wrote it: silence checks, apologies, fillers, goodbyes. French and English.

A language without its own phrases gets the English ones. Pure: no I/O.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language's phrases; where there are several, they are said in turn."""

    silence_checks: tuple[str, ...]
    apology: str
    """The caller's words were lost: asks for them again."""
    patience: str
    """The answer is late but still expected."""
    fillers: tuple[str, ...]
    """Something is being looked up or done."""
    goodbye: str
    goodbye_silence: str
    """Nobody has answered for a while."""
    closing: str
    """The call has reached its longest duration."""


_PHRASES = {
    "fr": Phrases(
        silence_checks=("Êtes-vous toujours là ?", "Je ne vous entends pas, êtes-vous en ligne ?"),
        apology="Excusez-moi, je n'ai pas pu vous répondre. Pouvez-vous répéter, s'il vous plaît ?",
        patience="Excusez-moi, encore un instant, s'il vous plaît.",
        fillers=("Un instant, s'il vous plaît.", "Je suis toujours avec vous, cela prend un petit moment."),
        goodbye="Merci de votre appel, au revoir.",
        goodbye_silence="Je ne vous entends plus, je vais raccrocher. Au revoir.",
        closing="Nous arrivons à la fin du temps prévu pour cet appel. Je dois raccrocher, au revoir.",
    ),
    "en": Phrases(
        silence_checks=("Are you still there?", "I can't hear you, are you still on the line?"),
        apology="I'm sorry, I was not able to answer. Could you say that again, please?",
        patience="I'm sorry, one more moment please.",
        fillers=("One moment, please.", "I'm still with you, this is taking a little while."),
        goodbye="Thank you for calling, goodbye.",
        goodbye_silence="I can no longer hear you, so I will hang up. Goodbye.",
        closing="We have reached the time limit for this call. I have to hang up now, goodbye.",
    ),
}


def phrases_for(language: str) -> Phrases:
    """The phrases for a BCP 47 tag, by its first part."""
    return _PHRASES.get(language.split("-")[0].lower(), _PHRASES["en"])

"""Writes ``pronunciations.json``: how the built-in phrases sound to the acoustic model.

    python -m parlons.conversation.embedded.learn fr-FR=examples/accueil/agents/accueil.yaml \\
        en-GB=examples/accueil/agents/reception.yaml

Run it so after changing ``phrases``, the example agents or the way ``decoder`` hears. The keywords of the files named
are learned ahead with the built-in phrases, so that the demo starts in seconds; a phrase missing there is learned
when first needed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from . import espeak
from .decoder import built_in, pronunciations
from .recogniser import vocabulary

LANGUAGES = ("fr-FR", "en-GB", "en-US")


def main(*files: str) -> None:
    """Learn the built-in phrases, and the keywords of ``LANGUAGE=FILE`` each."""
    asked = [file.partition("=") for file in files]
    learned: dict[str, dict[str, list[str]]] = {}
    for language in LANGUAGES:
        voice = espeak.voice_for(language)
        if voice is None:
            raise SystemExit(f"espeak-ng has no voice for {language}")
        phrases = dict.fromkeys(phrase for group in built_in(language) for phrase in group)
        for _, _, path in (a for a in asked if a[0] == language):
            phrases |= dict.fromkeys(vocabulary([Path(path).read_text("utf-8")]))
        learned[voice] = {p: [" ".join(v) for v in pronunciations(p, voice, afresh=True)] for p in phrases}
    target = Path(__file__).with_name("pronunciations.json")
    target.write_text(json.dumps(learned, ensure_ascii=False, indent=0) + "\n", "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

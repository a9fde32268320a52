"""Configurations for the tests with real peers: agents whose words are known, and the trunks around them."""

from __future__ import annotations

from typing import Any

GREETING = "Bonjour, ici le laboratoire. Que puis-je faire pour vous ?"
HOURS = "Nous sommes ouverts de neuf heures à dix-huit heures, du lundi au vendredi."
PROMPT = f"""Tu réponds au téléphone pour un laboratoire. Réponds en une phrase.
- horaires, ouverture, ouvert : {HOURS}
- adresse : Nous sommes au douze, rue des Lilas, à Lyon.
"""
NUMBER = "+33123456789"
APOLOGY = "Un problème technique nous empêche de vous répondre. Merci de rappeler plus tard."
TRUNK_USER, TRUNK_PASSWORD = "trunk33", "s3cret-of-the-trunk"


def agent(**changes: Any) -> dict[str, Any]:
    """A French agent that knows its opening hours."""
    return {
        "name": "Laboratoire",
        "language": "fr-FR",
        "greeting": GREETING,
        "prompt": PROMPT,
        "default_error_message": {"text": APOLOGY, "language": "fr-FR"},
        **changes,
    }


ENGLISH = agent(
    name="Lab",
    language="en-GB",
    greeting="Good morning, this is the laboratory. How can I help you?",
    prompt="You answer the phone.\n- opening hours, hours, open: We are open from nine to six, Monday to Friday.\n",
    default_error_message={"text": "We cannot take your call now.", "language": "en-GB"},
)

LAB: dict[str, Any] = {
    "agents": {
        "lab": agent(),
        "english": ENGLISH,
        "patient": agent(silence_check_seconds=3),
        "brief": agent(max_call_seconds=10),
        "talkative": agent(
            greeting="Bonjour. " + "Notre laboratoire accueille tous les patients, avec ou sans rendez-vous. " * 6
        ),
    }
}


def openai(port: int, *behaviours: str, **changes: Any) -> dict[str, Any]:
    """An agent whose models speak the OpenAI protocol with ``failing_model``; ears and voice stay embedded."""
    models = [
        {"type": "openai", "model": "m", "base_url": f"http://127.0.0.1:{port}/{behaviour}/v1", "api_key": "${LAB_KEY}"}
        for behaviour in behaviours
    ]
    return agent(providers={"llm": models}, **changes)


def trunk(**changes: Any) -> dict[str, Any]:
    """A connection to a peer on loopback."""
    return {"name": "Trunk", "host": "127.0.0.1", **changes}

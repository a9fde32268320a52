"""What answers with no key and no network: a voice, a recogniser and a model that run inside the process.

Knows the agent's words and nothing of calls, steps or telephony.
"""

from typing import Literal

EMBEDDED_MODELS: dict[Literal["stt", "llm", "tts"], str] = {"stt": "grammar", "llm": "rules", "tts": "espeak-ng"}

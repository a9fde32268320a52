"""What the voice runtime reports, turned into timeline events and into the turns that guards and timers count.

Knows the runtime's events. Decides nothing: it tells whoever does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from livekit.agents import (
    AgentSession,
    AgentStateChangedEvent,
    CloseEvent,
    ConversationItemAddedEvent,
    UserInputTranscribedEvent,
    UserStateChangedEvent,
    llm,
)

from ..calls.timeline import Actor, Kind
from ..logs import get
from .actions.guards import RepeatGuard
from .actions.hang_up import HangUp
from .host import Host
from .menus import Menus
from .never_silent import NeverSilent
from .silence import SilenceChecks

logger = get(__name__)


class Listening:
    """Follows one session.

    Args:
        said: called with each of the agent's replies, as heard.
        log_words: write what both sides said to the log.
    """

    def __init__(
        self,
        host: Host,
        session: AgentSession[Any],
        *,
        hang_up: HangUp,
        silence: SilenceChecks,
        never_silent: NeverSilent,
        menus: Menus,
        on_audio: bool,
        said: Callable[[str], None],
        log_words: bool,
    ) -> None:
        self._host = host
        self._session = session
        self._hang_up = hang_up
        self._silence = silence
        self._never_silent = never_silent
        self._menus = menus
        self._on_audio = on_audio
        self._said = said
        self._log_words = log_words
        self._repeats = RepeatGuard()
        self._keypad_turns: set[str] = set()
        self._turn_metrics: llm.MetricsReport = {}
        session.on("conversation_item_added", self._item_added)
        self.unanswered = False
        """Words of a turn that is not over yet are known: whoever changes the step waits for it."""
        session.on("user_input_transcribed", self._transcribed)
        session.on("user_state_changed", self._caller_state)
        session.on("agent_state_changed", self._agent_state)
        session.on("close", self._closed)

    def keypad_turn(self, message: llm.ChatMessage) -> None:
        """A turn made of keys: the timeline has its digits already."""
        self._keypad_turns.add(message.id)

    def heard(self, message: llm.ChatMessage) -> None:
        """A turn of the other person's that no answer is made to in its own step."""
        text = message.text_content or ""
        if text.strip():
            self._caller_turn(message, text)

    def _item_added(self, event: ConversationItemAddedEvent) -> None:
        message = event.item
        if not isinstance(message, llm.ChatMessage):
            return
        text = message.text_content or ""
        if message.role == "user":
            if not text.strip():
                return  # closing commits the turn under way, also when there is none
            self._caller_turn(message, text)
        elif message.role == "assistant":
            if self._on_audio and "started_speaking_at" not in message.metrics:
                return  # it could not be spoken: nobody heard it
            self._transcript("agent", text, interrupted=message.interrupted)
            self._said(text)
            self._latency(message.metrics)
            made_by_model = "llm_node_ttft" in message.metrics
            if made_by_model and self._repeats.heard(text, interrupted=message.interrupted):
                self._hang_up.guard_ask("repeats")

    def _transcribed(self, event: UserInputTranscribedEvent) -> None:
        if event.is_final and event.transcript.strip():
            self.unanswered = True

    def _caller_turn(self, message: llm.ChatMessage, text: str) -> None:
        if message.id not in self._keypad_turns:
            self._transcript("caller", text)
        self.unanswered = False
        self._turn_metrics = message.metrics
        self._hang_up.other_side_took_turn()
        self._silence.answered()
        self._menus.heard()
        self._never_silent.caller_turn()

    def _transcript(self, who: Actor, text: str, *, interrupted: bool = False) -> None:
        if self._host.sensitive:
            return
        if self._log_words:
            logger.info("words", who=who, text=text)
        if interrupted:
            self._host.timeline.add(who, Kind.TRANSCRIPT, text=text, interrupted=True)
        else:
            self._host.timeline.add(who, Kind.TRANSCRIPT, text=text)

    def _latency(self, metrics: llm.MetricsReport) -> None:
        total = metrics.get("e2e_latency")
        if total is None:
            return
        self._host.timeline.add(
            "system",
            Kind.LATENCY,
            end_of_turn_ms=_ms(self._turn_metrics.get("end_of_turn_delay")),
            llm_first_token_ms=_ms(metrics.get("llm_node_ttft")),
            tts_first_audio_ms=_ms(metrics.get("tts_node_ttfb")),
            total_ms=_ms(total),
        )

    def _caller_state(self, event: UserStateChangedEvent) -> None:
        if event.new_state == "speaking":
            self._never_silent.caller_started()
            self._hang_up.caller_started()
        elif event.old_state == "speaking":
            self._never_silent.caller_stopped(rescued=self._hang_up.caller_stopped())
        elif event.new_state == "away" and not self._host.over:
            self._session.reset_away_timer()  # it fires once: begin to count again
            self._silence.silence()

    def _agent_state(self, event: AgentStateChangedEvent) -> None:
        sounds = event.new_state == "speaking"
        self._never_silent.agent_sounds(sounds)
        if sounds:
            self._menus.spoke()

    def _closed(self, event: CloseEvent) -> None:
        if not self._host.over:
            self._host.fail("session", f"the session closed by itself: {event.reason.value}")


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)

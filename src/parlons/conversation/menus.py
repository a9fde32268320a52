"""What an agent needs among machines: keys to press, the patience to wait, ears that tell music from speech, and the
beep of an answering machine.

Owns the two actions and the way of listening that goes with them. From the first key or the first wait until the
agent speaks it listens with care: a turn ends after ``MENU_END_OF_SPEECH_MS``, so that a menu is heard whole, and what
is not surely speech is not heard. Knows the runtime's session and the port; nothing of how the model answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from livekit.agents import AgentSession, vad

from ..agents.actions import KeypadAction, WaitAction
from ..agents.models import Agent
from ..calls.timeline import Kind
from ..telephony.types import FRAME_SECONDS, AudioPort, AudioSink
from .actions.base import ToolSpec
from .actions.hang_up import FAR_BUFFER_SECONDS, played
from .actions.keypad import KeyPort, PressKeys
from .actions.wait import Wait
from .answering_machine import LEAVE_MESSAGE, MACHINE, AnsweringMachine, Beep
from .host import ConversationEnd, Host
from .music import Lull
from .plan import StepPlan
from .steps import turn_handling
from .vad import forget, set_careful, set_pause

MENU_END_OF_SPEECH_MS = 2000
"""Pauses inside a recorded menu are shorter. A step that asks for more keeps it."""
TURN_SECONDS = MENU_END_OF_SPEECH_MS / 1000 + 1.0
"""After speech, a turn that it makes is known by then."""
LONG_AGO = 3600.0
LAST_WORDS_SECONDS = 1.5
"""What the greeting said may not be known yet when the beep sounds: its turn is waited for no longer than this."""


class Menus:
    """Of one conversation.

    Args:
        port: what it talks over; None in text.
        outbound: the call was placed by us: whoever answers may be a machine.
        unanswered: whether words of a turn that is not over yet are known.
    """

    def __init__(
        self, host: Host, agent: Agent, port: AudioPort | None, *, outbound: bool, unanswered: Callable[[], bool]
    ) -> None:
        self._host = host
        self._port = port
        self._unanswered = unanswered
        keys = port if isinstance(port, KeyPort) else None
        keypad = next((action for action in agent.actions if isinstance(action, KeypadAction)), None)
        wait = next((action for action in agent.actions if isinstance(action, WaitAction)), None)
        self._keypad = PressKeys(host, keypad, keys, self._be_careful) if keypad is not None else None
        self._wait = Wait(host, wait, self._be_careful, self._talked_to) if wait is not None else None
        self._machine = AnsweringMachine(port.sample_rate) if outbound and port is not None else None
        self._lull = Lull()
        self._careful = False
        self._strict = False
        self._since_speech = LONG_AGO
        self._plan: StepPlan | None = None
        self._session: AgentSession[Any] | None = None
        self._detector: vad.VAD | None = None
        self._push: AudioSink | None = None
        self.voicemail = False
        """The beep of an answering machine was heard."""

    @property
    def careful(self) -> bool:
        """Music or a menu may be playing."""
        return self._careful

    # -- for the conversation ----------------------------------------------------------------------------------

    def tools(self, plan: StepPlan) -> list[ToolSpec]:
        """The actions that a step enables."""
        return [made.tool() for made in (self._keypad, self._wait) if made is not None and made.name in plan.actions]

    def listen(self, session: AgentSession[Any], detector: vad.VAD, plan: StepPlan) -> None:
        """Hear all that the port receives, before the session does: its sink is already set."""
        assert self._port is not None
        self._session, self._detector, self._plan = session, detector, plan
        self._push = self._port.sink
        self._port.sink = self._hear

    def entered(self, plan: StepPlan) -> None:
        """Another step is under way."""
        self._plan = plan
        if self._detector is not None:
            set_pause(self._detector, plan.end_of_speech_ms)

    def heard(self) -> None:
        """The other side took a turn."""
        if self._wait is not None:
            self._wait.heard()

    def spoke(self) -> None:
        """The agent speaks."""
        if self._wait is not None:
            self._wait.spoke()
        self._listen_as_usual()

    def echoes(self, digit: str) -> bool:
        """Whether a key that came in is one that we pressed."""
        return self._keypad is not None and self._keypad.echoes(digit)

    def close(self) -> None:
        """Nothing more is waited for. Idempotent."""
        if self._wait is not None:
            self._wait.close()

    def detach(self) -> None:
        """Let go of the port, unless somebody else has taken it meanwhile."""
        if self._port is not None and self._port.sink == self._hear:
            self._port.sink = None

    # -- how it listens ----------------------------------------------------------------------------------------

    def _hear(self, frame: bytes) -> None:
        speaking = self._host.caller_speaking
        self._since_speech = 0.0 if speaking else self._since_speech + FRAME_SECONDS
        if self._machine is not None and not self._machine.done:
            beep = self._machine.hear(frame, speaking=speaking)
            if beep is not None and not self._host.over:
                self._host.spawn(self._leave_message(beep))
        if self._careful and self._detector is not None:
            self._be_strict(self._since_speech >= MENU_END_OF_SPEECH_MS / 1000)
            if self._lull.hear(frame, FRAME_SECONDS, speaking=speaking):
                forget(self._detector)
        if self._push is not None:
            self._push(frame)

    def _talked_to(self) -> bool:
        return self._since_speech < TURN_SECONDS or self._unanswered()

    def _be_careful(self) -> None:
        if not self._careful:
            self._listen_with(careful=True)

    def _listen_as_usual(self) -> None:
        if self._careful:
            self._listen_with(careful=False)

    def _listen_with(self, *, careful: bool) -> None:
        if self._session is None or self._detector is None or self._plan is None or self._host.over:
            return
        self._careful = careful
        least = MENU_END_OF_SPEECH_MS if careful else 0
        plan = replace(self._plan, end_of_speech_ms=max(least, self._plan.end_of_speech_ms))
        self._be_strict(careful)
        self._session.update_options(endpointing_opts=turn_handling(plan)["endpointing"])

    def _be_strict(self, strict: bool) -> None:
        """Not within a turn: whoever has been talking goes on with the first word, or the turn would end on them."""
        if strict is not self._strict and self._detector is not None:
            self._strict = strict
            set_careful(self._detector, strict)

    # -- an answering machine ----------------------------------------------------------------------------------

    async def _leave_message(self, beep: Beep) -> None:
        self.voicemail = True
        self._host.timeline.add(
            "caller",
            Kind.LEG,
            leg="caller",
            event="voicemail",
            frequency_hz=beep.frequency,
            tone_ms=round(beep.seconds * 1000),
        )
        with self._host.quiet():
            waited = 0.0
            while waited < LAST_WORDS_SECONDS and (self._host.caller_speaking or self._unanswered()):
                waited += FRAME_SECONDS
                await asyncio.sleep(FRAME_SECONDS)
            self._host.interrupt()  # an answer to the greeting
            self._host.tell_model(MACHINE)
            message = self._host.prompt_model(f"{MACHINE} {LEAVE_MESSAGE}", interruptible=False)
            if message is not None:
                await played(message)
                await asyncio.sleep(FAR_BUFFER_SECONDS)
        self._host.finish(ConversationEnd("agent", "voicemail"))

"""One conversation: an agent talking over an AudioPort (or in text), from its greeting to the wish to end the call.

Builds the voice runtime's session and the parts around it, and owns them all. Knows no SIP, no RTP, no database: it
is given a port, providers and a timeline, and says through ``wait`` that the call should end.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
from collections.abc import Coroutine, Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from livekit.agents import NOT_GIVEN, AgentSession, llm, vad
from livekit.agents.voice import SpeechHandle

from ..agents.context import CallContext
from ..agents.models import Agent
from ..calls.timeline import Kind, Timeline
from ..errors import IllegalMove
from ..logs import get
from ..telephony.types import AudioPort
from .actions.base import Toolbox, ToolSpec
from .actions.hang_up import FAR_BUFFER_SECONDS, HangUp, played
from .audio import PortOutput
from .host import ConversationEnd
from .keypad import Keypad
from .listening import Listening
from .never_silent import NeverSilent
from .phrases import Phrases, phrases_for
from .prompt import OPENING, Templates, instructions, keypad_turn
from .runtime import Built, attach, new_nodes, new_session
from .silence import SilenceChecks
from .steps import StepAgent, StepPlan, first_step, hang_up_policy
from .vad import new_detector

__all__ = ["Built", "Conversation", "ConversationEnd", "Phase"]

logger = get(__name__)

CLOSE_SECONDS = 5.0
"""A session that has not closed by then is abandoned: closing never hangs."""
CLOSING_SENTENCE_SECONDS = 20.0


class Phase(enum.Enum):
    """Where a conversation stands."""

    NEW = "new"
    RUNNING = "running"
    OVER = "over"
    """It has said how its call should end."""
    CLOSED = "closed"


MOVES: Final[dict[Phase, frozenset[Phase]]] = {
    Phase.NEW: frozenset({Phase.RUNNING, Phase.CLOSED}),
    Phase.RUNNING: frozenset({Phase.OVER, Phase.CLOSED}),
    Phase.OVER: frozenset({Phase.CLOSED}),
    Phase.CLOSED: frozenset(),
}


class Conversation:
    """An agent's conversation with one person.

    Args:
        providers: at least one of each kind that is needed: all three over audio, a language model in text.
        audio: the port to talk over, or None for text. Its ``source`` and ``sink`` are taken until ``close``.
        log_words: write what both sides say to the log.
        tools: more tools for the model.
        detector: voice activity detection, when not the process's own.
    """

    def __init__(
        self,
        *,
        agent: Agent,
        agent_id: str,
        context: CallContext,
        providers: Built,
        timeline: Timeline,
        audio: AudioPort | None,
        log_words: bool = False,
        tools: Sequence[ToolSpec] = (),
        detector: vad.VAD | None = None,
    ) -> None:
        self._agent = agent
        self._timeline = timeline
        self._audio = audio
        self._loop = asyncio.get_running_loop()
        self._log = logger.bind(agent=agent_id)
        self._log_words = log_words
        self._phase = Phase.NEW
        self._end: asyncio.Future[ConversationEnd] = self._loop.create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting: asyncio.Task[Any] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._limit: asyncio.TimerHandle | None = None
        self._replies: list[str] = []
        self._last_said: SpeechHandle | None = None

        self._phrases = phrases_for(agent.language)
        self._templates = Templates(context, timeline)
        self._step: StepPlan = first_step(agent)
        self._keypad = Keypad(self._keypad_turn)
        self._never_silent = NeverSilent(self)
        self._hang_up = HangUp(self, hang_up_policy(agent, self._step))
        self._silence = SilenceChecks(self, self._hang_up)
        self._toolbox = Toolbox(self._never_silent.tool_started, self._never_silent.tool_ended)
        offered = [self._hang_up.tool()] if hang_up_policy(agent, self._step).offered else []
        self._tools = [*tools, *offered]
        self._detector = detector if audio is not None else None
        self._providers = providers
        self._session: AgentSession[None] | None = None
        self._listening: Listening | None = None
        self._output: PortOutput | None = None

    # -- for whoever runs the call ----------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """It has said how its call should end, or was closed."""
        return self.over

    async def start(self) -> None:
        """Bring the session up and begin the announcement and the greeting. Returns without waiting for them.

        Does nothing when it was closed before. A session that cannot start is a failed conversation: see ``wait``.

        Raises:
            IllegalMove: it was started before.
        """
        if self._phase is Phase.CLOSED:
            return
        self._move(Phase.RUNNING)
        self._limit = self._loop.call_later(self._agent.max_call_seconds, self._time_is_up)
        render = self._templates.render
        shared = await render(self._agent.prompt, "prompt")
        step_prompt = await render(self._step.prompt, f"path.{self._step.id}.prompt")
        announcement = await render(self._agent.announcement or "", "announcement")
        greeting = await render(self._agent.greeting or "", "greeting")
        if self.over:
            return
        session = self._session = self._build_session()
        step = StepAgent(
            self._step,
            new_nodes(self, self._agent, self._providers, self._detector, self._never_silent),
            instructions=instructions(
                self._agent, shared=shared, step=step_prompt, now=datetime.now(ZoneInfo(self._agent.timezone))
            ),
            tools=self._toolbox.build(self._tools),
        )
        # a session half started cannot be closed: whoever cancels us must not cancel that
        self._starting = asyncio.create_task(session.start(step, record=False), name="session_start")
        try:
            await asyncio.shield(self._starting)
        except Exception as error:  # a plug-in may raise anything while it is set up; the caller is owed a message
            self.fail("session", f"the session did not start: {type(error).__name__}")
        if self.over:
            return
        self._timeline.add("agent", Kind.STEP_ENTERED, step=self._step.id, name=self._step.name)
        if announcement.strip():
            self.say(announcement, interruptible=False)
        if self._agent.greeting is None:
            self._never_silent.caller_turn()  # they called: an opening is owed to them
            self._last_said = session.generate_reply(instructions=OPENING)
        elif greeting.strip():
            self.say(greeting)

    async def wait(self) -> ConversationEnd:
        """Wait until the conversation wants its call to end, cannot go on, or is closed."""
        return await asyncio.shield(self._end)

    def heard_digits(self, digit: str, method: str = "") -> None:
        """The other side pressed a key. Keys make a turn of theirs: 2 s after the last, or at ``#``."""
        if self._phase is not Phase.RUNNING:
            return
        shown = "" if self.sensitive else digit
        self._timeline.add("caller", Kind.DTMF, digits=shown, method=method)
        if self._session is not None:
            self._session.reset_away_timer()
        self._silence.answered()
        self._keypad.pressed(digit)

    async def type(self, text: str) -> list[str]:
        """One turn in text; what the agent said since the last call, its greeting included."""
        if self._session is None or self.over:
            return self._take_replies()
        handle = self._session.generate_reply(user_input=text)
        await handle.wait_for_playout()
        return await self.replies()

    async def replies(self) -> list[str]:
        """What the agent has said since the last call, once it has nothing more under way."""
        if self._last_said is not None:
            await self._last_said.wait_for_playout()
        if self._tasks:  # a guard that ends the conversation speaks last
            await asyncio.wait(self._tasks)
        return self._take_replies()

    async def close(self) -> None:
        """Release everything, from any state. Idempotent; takes seconds at most.

        From inside a tool it returns at once, and closing goes on by itself: it waits for tools.
        """
        if self._closing is None:
            if self._phase is not Phase.CLOSED:
                self._move(Phase.CLOSED)
            self._closing = asyncio.create_task(self._close(), name="conversation_close")
        if not self._toolbox.inside():
            await asyncio.shield(self._closing)

    # -- for its parts (Host) ---------------------------------------------------------------------------------

    @property
    def timeline(self) -> Timeline:
        return self._timeline

    @property
    def phrases(self) -> Phrases:
        return self._phrases

    @property
    def sensitive(self) -> bool:
        return self._step.sensitive

    @property
    def over(self) -> bool:
        return self._phase in (Phase.OVER, Phase.CLOSED)

    @property
    def caller_speaking(self) -> bool:
        return self._session is not None and self._session.user_state == "speaking"

    @property
    def on_hold(self) -> bool:
        return self._audio is not None and self._audio.on_hold

    @property
    def busy(self) -> bool:
        return self._session is not None and self._session.current_speech is not None

    def say(self, text: str, *, interruptible: bool | None = None) -> SpeechHandle | None:
        if self.over or self._session is None:
            return None
        allow = NOT_GIVEN if interruptible is None else interruptible
        try:
            self._last_said = self._session.say(text, allow_interruptions=allow)
        except RuntimeError as error:  # the session is going down by itself; its close event says so
            self._log.warning("cannot_speak", error=str(error))
            return None
        return self._last_said

    def interrupt(self) -> None:
        if self._session is not None:
            with contextlib.suppress(RuntimeError):  # it is not running (any more): nothing to interrupt
                self._session.interrupt(force=True)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @contextlib.contextmanager
    def quiet(self) -> Iterator[None]:
        self._never_silent.suspend(+1)
        self._silence.suspend(+1)
        try:
            yield
        finally:
            self._never_silent.suspend(-1)
            self._silence.suspend(-1)

    def finish(self, end: ConversationEnd) -> None:
        if self.over:
            return
        self._move(Phase.OVER)
        self._stop_timers()
        self._end.set_result(end)

    def fail(self, service: str, error: str) -> None:
        if self.over:
            return
        self._log.error("conversation_failed", service=service, error=error)
        self._timeline.add("system", Kind.NEVER_SILENT, rule="unrecoverable", service=service, error=error)
        self.finish(ConversationEnd("system", f"{service}_failed", failed=True, error=error))

    # -- building ---------------------------------------------------------------------------------------------

    def _build_session(self) -> AgentSession[None]:
        audio = self._audio
        if audio is not None and self._detector is None:
            self._detector = new_detector(self._step.end_of_speech_ms)
        session = new_session(self._agent, self._step, self._providers, self._detector)
        self._listening = Listening(
            self,
            session,
            hang_up=self._hang_up,
            silence=self._silence,
            never_silent=self._never_silent,
            on_audio=audio is not None,
            said=self._replies.append if audio is None else _ignore,
            log_words=self._log_words,
        )
        if audio is not None:
            self._output = attach(session, audio)
        return session

    # -- what happens on its own ------------------------------------------------------------------------------

    def _keypad_turn(self, digits: str) -> None:
        if self.over or self._session is None or self._listening is None:
            return
        message = llm.ChatMessage(role="user", content=[keypad_turn(digits)])
        self._listening.keypad_turn(message)
        with contextlib.suppress(RuntimeError):  # what is being said may not be interrupted: the answer follows it
            self._session.interrupt()
        with contextlib.suppress(RuntimeError):  # not up yet, or going down by itself: there is nobody to answer
            self._session.generate_reply(user_input=message)

    def _time_is_up(self) -> None:
        self._limit = None
        self.spawn(self._say_closing())

    async def _say_closing(self) -> None:
        with self.quiet():
            self.interrupt()
            handle = self.say(self._phrases.closing, interruptible=False)
            if handle is not None:
                await played(handle, longest=CLOSING_SENTENCE_SECONDS)
                await asyncio.sleep(FAR_BUFFER_SECONDS)
        self.finish(ConversationEnd("system", "max_call_seconds"))

    def _take_replies(self) -> list[str]:
        taken = list(self._replies)
        self._replies.clear()
        return taken

    def _move(self, to: Phase) -> None:
        if to not in MOVES[self._phase]:
            raise IllegalMove(f"a conversation cannot go from {self._phase.value} to {to.value}")
        self._phase = to

    def _stop_timers(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
        self._keypad.close()
        self._never_silent.close()

    async def _close(self) -> None:
        self._stop_timers()
        if not self._end.done():
            self._end.set_result(ConversationEnd("system", "closed"))
        self._toolbox.wake()
        working = list(self._tasks)
        for task in working:
            task.cancel()
        if self._session is not None:
            closing = asyncio.create_task(self._close_session(self._session), name="session_close")
            done, _ = await asyncio.wait({closing}, timeout=CLOSE_SECONDS)
            if not done:
                self._log.error("session_close_abandoned", seconds=CLOSE_SECONDS)
                closing.cancel()
                await asyncio.wait({closing}, timeout=1.0)
        if self._audio is not None and self._output is not None:
            if self._audio.source == self._output.pull:
                self._audio.source = None
            self._audio.sink = None
        if working:
            await asyncio.wait(working, timeout=1.0)

    async def _close_session(self, session: AgentSession[None]) -> None:
        if self._starting is not None:
            await asyncio.wait({self._starting})
        await session.aclose()


def _ignore(_text: str) -> None:
    """Over audio nobody collects replies."""

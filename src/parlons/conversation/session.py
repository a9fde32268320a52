"""One conversation: an agent talking over an AudioPort (or in text), from its greeting to the wish to end the call.

Builds the voice runtime's session and the parts around it, and owns them all. Knows no SIP, no RTP, no database: it
is given a port, providers and a timeline, and says through ``wait`` that the call should end.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextvars import copy_context
from typing import Any

from livekit.agents import NOT_GIVEN, AgentSession, llm, vad
from livekit.agents.voice import SpeechHandle

from ..agents.context import CallContext
from ..agents.models import Agent
from ..calls.timeline import Kind, Timeline
from ..logs import get
from ..telephony.types import AudioPort
from .actions.base import Toolbox, ToolSpec
from .actions.hang_up import HangUp
from .host import ConversationEnd
from .keypad import Keypad
from .limit import Limit
from .line import Line
from .listening import Listening
from .never_silent import NeverSilent
from .phase import Phase, move
from .phrases import Phrases, phrases_for
from .plan import StepPlan, first_plan, hang_up_policy
from .prompt import OPENING, TAKEN_OVER, Templates, keypad_turn
from .replies import Replies
from .runtime import Attachment, Built, close_session, new_nodes, new_session, said_so_far, tell_model
from .silence import SilenceChecks
from .stepping import Stepping
from .vad import new_detector, set_pause
from .workflows import Workflows

__all__ = ["Built", "Conversation", "ConversationEnd", "Phase"]

logger = get(__name__)

CLOSE_SECONDS = 5.0
"""A session that has not closed by then is abandoned: closing never hangs."""


class Conversation:
    """An agent's conversation with one person.

    Args:
        providers: at least one of each kind that is needed: all three over audio, a language model in text.
        audio: the port to talk over, or None for text. Its ``source`` and ``sink`` are taken until ``close``.
        log_words: write what both sides say to the log.
        tools: more tools for the model.
        detector: voice activity detection, when not the process's own.
        line: the call, for actions that need it; None in text.
        workflows: what runs the agent's workflows; None where nothing can.
        history: what was said before this agent took the call over; None for a conversation that begins here.
        spent: seconds the call has been with other agents already; they count for ``max_call_seconds``.
        on_step: told of each step entered after the first.
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
        line: Line | None = None,
        workflows: Workflows | None = None,
        history: llm.ChatContext | None = None,
        spent: float = 0.0,
        on_step: Callable[[StepPlan], None] | None = None,
    ) -> None:
        self._agent = agent
        self._timeline = timeline
        self._audio = audio
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._log = logger.bind(agent=agent_id)
        self._log_words = log_words
        self._phase = Phase.NEW
        self._end: asyncio.Future[ConversationEnd] = self._loop.create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting: asyncio.Task[Any] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._replies = Replies(self._tasks)

        self._phrases = phrases_for(agent.language)
        self._templates = Templates(context, timeline)
        self._keypad = Keypad(self._keypad_turn)
        self._never_silent = NeverSilent(self)
        self._hang_up = HangUp(self, hang_up_policy(agent, first_plan(agent)))
        self._silence = SilenceChecks(self, self._hang_up)
        self._toolbox = Toolbox(self._never_silent.tool_started, self._never_silent.tool_ended)
        self._on_step = on_step
        self._stepping = Stepping(
            self,
            agent,
            context,
            self._templates,
            hang_up=self._hang_up,
            toolbox=self._toolbox,
            tools=tools,
            line=line,
            workflows=workflows,
            spoke=self._replies.spoke,
            stepped=self._stepped,
            kept=self._kept,
            unanswered=lambda: self._listening is not None and self._listening.unanswered,
        )
        self._history = history
        self._limit = Limit(self, agent.max_call_seconds, spent)
        self._home = copy_context()
        self._detector = detector if audio is not None else None
        self._providers = providers
        self._session: AgentSession[None] | None = None
        self._listening: Listening | None = None
        self._attached: Attachment | None = None

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
        self._phase = move(self._phase, Phase.RUNNING)
        self._limit.start()
        render = self._templates.render
        announcement = await render(self._agent.announcement or "", "announcement")
        greeting = await render(self._agent.greeting or "", "greeting")
        if self.over:
            return
        session = self._session = self._build_session()
        nodes = new_nodes(self, self._agent, self._providers, self._detector, self._never_silent)
        step = await self._stepping.first(session, nodes, self._history)
        if self.over:
            return
        # a session half started cannot be closed: whoever cancels us must not cancel that
        self._starting = asyncio.create_task(session.start(step, record=False), name="session_start")
        try:
            await asyncio.shield(self._starting)
        except Exception as error:  # a plug-in may raise anything while it is set up; the caller is owed a message
            self.fail("session", f"the session did not start: {type(error).__name__}")
        if self.over:
            return
        self._greet(announcement.strip(), greeting.strip())

    def _greet(self, announcement: str, greeting: str) -> None:
        if announcement:
            self.say(announcement, interruptible=False)
        if greeting:
            self.say(greeting)
        taken_over = self._history is not None
        unasked = self._agent.greeting is None or taken_over
        self._stepping.set_off(silent=not greeting and unasked)
        if not greeting and unasked and self._stepping.plan.talks and self._session is not None:
            self._never_silent.caller_turn()  # they called: an opening is owed to them
            self._replies.spoke(self._session.generate_reply(instructions=TAKEN_OVER if taken_over else OPENING))

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
            return self._replies.take()
        handle = self._session.generate_reply(user_input=text)
        await handle.wait_for_playout()
        return await self.replies()

    async def replies(self) -> list[str]:
        """What the agent has said since the last call, once it has nothing more under way."""
        return await self._replies.settled()

    async def close(self) -> None:
        """Release everything, from any state. Idempotent; takes seconds at most.

        From inside a tool it returns at once, and closing goes on by itself: it waits for tools.
        """
        if self._closing is None:
            if self._phase is not Phase.CLOSED:
                self._phase = move(self._phase, Phase.CLOSED)
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
        return self._stepping.plan.sensitive

    @property
    def history(self) -> llm.ChatContext:
        """What was said so far, for an agent that takes over."""
        return said_so_far(self._session, tools=False) if self._session is not None else llm.ChatContext.empty()

    @property
    def seconds(self) -> float:
        """How long it has lasted."""
        return self._loop.time() - self._began

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

    def tell_model(self, text: str) -> None:
        if self._session is not None and not self.over:
            self.spawn(tell_model(self._session, text))

    def say(self, text: str, *, interruptible: bool | None = None) -> SpeechHandle | None:
        if self.over or self._session is None:
            return None
        allow = NOT_GIVEN if interruptible is None else interruptible
        try:
            handle = self._session.say(text, allow_interruptions=allow)
        except RuntimeError as error:  # the session is going down by itself; its close event says so
            self._log.warning("cannot_speak", error=str(error))
            return None
        self._replies.spoke(handle)
        return handle

    def interrupt(self) -> None:
        if self._session is not None:
            with contextlib.suppress(RuntimeError):  # it is not running (any more): nothing to interrupt
                self._session.interrupt(force=True)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, context=self._home.copy())  # not in the tool or hook that asked for it
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @contextlib.contextmanager
    def quiet(self) -> Iterator[None]:
        self._never_silent.suspend(+1)
        self._silence.suspend(+1)
        try:
            yield
        finally:
            self._never_silent.suspend(-1)
            self._silence.suspend(-1)

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        self._never_silent.tool_started()
        try:
            yield
        finally:
            self._never_silent.tool_ended()

    @contextlib.contextmanager
    def elsewhere(self) -> Iterator[None]:
        with self.quiet(), self._limit.elsewhere():
            yield
        if not self.over:
            self._never_silent.caller_turn()  # they are back, and owed words about what came of it

    def finish(self, end: ConversationEnd) -> None:
        if self.over:
            return
        self._phase = move(self._phase, Phase.OVER)
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
            self._detector = new_detector(self._stepping.plan.end_of_speech_ms)
        session = new_session(self._agent, self._stepping.plan, self._providers, self._detector)
        self._listening = Listening(
            self,
            session,
            hang_up=self._hang_up,
            silence=self._silence,
            never_silent=self._never_silent,
            on_audio=audio is not None,
            said=self._replies.said if audio is None else lambda _text: None,
            log_words=self._log_words,
        )
        if audio is not None:
            self._attached = Attachment(session, audio)
        return session

    # -- what happens on its own ------------------------------------------------------------------------------

    def _keypad_turn(self, digits: str) -> None:
        if self.over or self._session is None or self._listening is None:
            return
        message = llm.ChatMessage(role="user", content=[keypad_turn(digits)])
        self._listening.keypad_turn(message)
        if self._stepping.moving:
            self._stepping.keep(message)
            return
        with contextlib.suppress(RuntimeError):  # what is being said may not be interrupted: the answer follows it
            self._session.interrupt()
        with contextlib.suppress(RuntimeError):  # not up yet, or going down by itself: there is nobody to answer
            self._session.generate_reply(user_input=message)

    def _kept(self, message: llm.ChatMessage) -> None:
        if self._listening is not None:
            self._listening.heard(message)

    def _stepped(self, plan: StepPlan) -> None:
        if self._detector is not None:
            set_pause(self._detector, plan.end_of_speech_ms)
        if self._on_step is not None:
            self._on_step(plan)

    def _stop_timers(self) -> None:
        self._limit.stop()
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
        if self._session is not None and not await close_session(self._session, self._starting, CLOSE_SECONDS):
            self._log.error("session_close_abandoned", seconds=CLOSE_SECONDS)
        if self._attached is not None:
            self._attached.detach()
        if working:
            await asyncio.wait(working, timeout=1.0)

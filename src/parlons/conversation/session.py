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

from livekit.agents import NOT_GIVEN, AgentSession, NotGivenOr, llm, vad
from livekit.agents.voice import SpeechHandle

from ..agents.context import CallContext
from ..agents.models import Agent
from ..calls.timeline import Kind, Timeline
from ..logs import get
from ..telephony.types import AudioPort
from .actions.base import Toolbox, ToolSpec
from .actions.hang_up import HangUp
from .host import ConversationEnd
from .keypad import KeyTurns
from .limit import Limit
from .listening import Listening
from .menus import Menus
from .never_silent import NeverSilent
from .outside import NOTHING, Outside
from .phase import Phase, move
from .phrases import Phrases, phrases_for
from .plan import StepPlan, first_plan, hang_up_policy
from .prompt import OPENING, TAKEN_OVER, Templates
from .replies import Replies
from .runtime import Attachment, Built, close_session, new_nodes, new_session, said_so_far, tell_model
from .silence import SilenceChecks
from .stepping import Stepping
from .vad import new_detector

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
        outside: what actions may ask of the world.
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
        outside: Outside = NOTHING,
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
        self._never_silent = NeverSilent(self)
        self._hang_up = HangUp(self, hang_up_policy(agent, first_plan(agent)))
        self._silence = SilenceChecks(self, self._hang_up)
        outbound = context.variables()["system"]["direction"] == "outbound"
        self._menus = Menus(self, agent, audio, outbound=outbound, unanswered=self._unanswered)
        self._keys = KeyTurns(self, ours=self._menus.echoes, answered=self._silence.answered)
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
            menus=self._menus,
            outside=outside,
            spoke=self._replies.spoke,
            stepped=self._stepped,
            kept=lambda message: self._listening.heard(message) if self._listening is not None else None,
            unanswered=self._unanswered,
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

    @property
    def voicemail(self) -> bool:
        """An answering machine took the call: its beep was heard."""
        return self._menus.voicemail

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
        announcement = await self._templates.render(self._agent.announcement or "", "announcement")
        greeting = await self._templates.render(self._agent.greeting or "", "greeting")
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
        written = self._agent.greeting
        unasked = written is None or bool(written.strip()) or taken_over  # a greeting of nothing lets the caller begin
        self._stepping.set_off(silent=not greeting and unasked)
        if not greeting and unasked and self._stepping.plan.talks and self._session is not None:
            self._never_silent.caller_turn()  # they called: an opening is owed to them
            self._replies.spoke(self._session.generate_reply(instructions=TAKEN_OVER if taken_over else OPENING))

    async def wait(self) -> ConversationEnd:
        """Wait until the conversation wants its call to end, cannot go on, or is closed."""
        return await asyncio.shield(self._end)

    def heard_digits(self, digit: str, method: str = "") -> None:
        """The other side pressed a key. Keys make a turn of theirs: 2 s after the last, or at ``#``."""
        if self._phase is Phase.RUNNING:
            self._keys.pressed(digit, method)

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
    def careful(self) -> bool:
        return self._menus.careful

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
        return self._speak(lambda session, allow: session.say(text, allow_interruptions=allow), interruptible)

    def prompt_model(self, instructions: str, *, interruptible: bool | None = None) -> SpeechHandle | None:
        return self._speak(
            lambda session, allow: session.generate_reply(instructions=instructions, allow_interruptions=allow),
            interruptible,
        )

    def _speak(
        self, begin: Callable[[AgentSession[None], NotGivenOr[bool]], SpeechHandle], interruptible: bool | None
    ) -> SpeechHandle | None:
        if self.over or self._session is None:
            return None
        try:
            handle = begin(self._session, NOT_GIVEN if interruptible is None else interruptible)
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

    def nothing_owed(self) -> None:
        self._never_silent.nothing_owed()

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
            menus=self._menus,
            on_audio=audio is not None,
            said=self._replies.said if audio is None else lambda _text: None,
            log_words=self._log_words,
        )
        self._keys.attach(session, self._listening, self._stepping)
        if audio is not None and self._detector is not None:
            self._attached = Attachment(session, audio)
            self._menus.listen(session, self._detector, self._stepping.plan)
        return session

    # -- what happens on its own ------------------------------------------------------------------------------

    def _unanswered(self) -> bool:
        return self._listening is not None and self._listening.unanswered

    def _stepped(self, plan: StepPlan) -> None:
        self._menus.entered(plan)
        if self._on_step is not None:
            self._on_step(plan)

    def _stop_timers(self) -> None:
        self._limit.stop()
        self._keys.close()
        self._menus.close()
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
        self._menus.detach()
        if self._attached is not None:
            self._attached.detach()
        if working:
            await asyncio.wait(working, timeout=1.0)

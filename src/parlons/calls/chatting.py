"""An agent in text: a call's conversation without its telephone. For ``parlons chat``, and for the console.

The same preparation, path, actions, workflows and data sources as a call's; nobody is rung, nothing is stored, and
what a failover would do is only said.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime
from typing import Any

import structlog
from livekit.agents import llm

from parlons import logs
from parlons.conversation.host import ConversationEnd
from parlons.conversation.line import TransferResult
from parlons.conversation.outside import Outside
from parlons.conversation.session import Conversation
from parlons.errors import Conflict, ParlonsError
from parlons.telephony.types import Outcome

from . import ending
from .chat_world import SAMPLE_RATE, ChatLine, ChatParts, ChatResources, ChatWorld
from .directory import LiveAgent, as_e164
from .failover import switched_on
from .failover_table import Trigger
from .handing_over import Holder
from .live_call import outside
from .preparing import Prepared, prepare
from .record import CallRecord
from .timeline import Actor, EndCode, Event, Kind, Timeline
from .variables import call_context, sip_variables

IDLE_SECONDS = 900.0
"""A chat in which nobody writes for this long is over."""
MAX_WAITING = 20
"""Messages that wait for an answer."""
IDLE = "idle"
TRANSFERRED = "transferred"
"""Ends that only a chat has, beside the codes of a call's; on the telephone the caller would be with somebody else."""

log = logs.get(__name__)

Ending = tuple[Actor, str]
"""Who ended a chat, and how."""


class Chat:
    """One chat. ``start`` it, ``say`` things, follow its ``timeline``; ``stop`` it or let it end.

    Args:
        live: the agent, published or not.
        caller: the number that the other side pretends to have; empty: withheld.
        listener: told of each event as it happens.
    """

    def __init__(
        self, world: ChatWorld, live: LiveAgent, caller: str = "", listener: Callable[[Event], None] | None = None
    ) -> None:
        self.id = uuid.uuid4().hex
        self.reason = ""
        """How it ended: one of the codes of a call's end, ``idle`` or ``transferred``; empty while it goes on."""
        self.error: ParlonsError | None = None
        """Why it could not begin."""
        self.timeline = Timeline(self._noted)
        self._loop = asyncio.get_running_loop()
        self._world = world
        self._listener = listener
        self._watchers: set[asyncio.Event] = set()
        self._holder = Holder(live, lambda agent: world.build_providers(agent, SAMPLE_RATE))
        self._record = self._made_up(caller)
        self._context = call_context(live, self._record, sip_variables(None))
        self._resources = ChatResources(world.resources, world.tried) if world.resources is not None else None
        self._inbox: asyncio.Queue[tuple[str, asyncio.Future[None]]] = asyncio.Queue(MAX_WAITING)
        self._unsaid: tuple[str, asyncio.Future[None]] | None = None
        self._conversation: Conversation | None = None
        self._touched = self._loop.time()
        self._stop: asyncio.Future[Ending] = self._loop.create_future()
        self._task: asyncio.Task[None] | None = None

    @property
    def _live(self) -> LiveAgent:
        return self._holder.live

    def _made_up(self, caller: str) -> CallRecord:
        """What workflows and templates are told of the call that this is not."""
        agent, resources = self._live.agent, self._world.resources
        country = resources.directory.settings.default_country if resources is not None else None
        number = as_e164(caller, country) or caller
        inbound = agent.direction == "inbound"
        return CallRecord(
            id=self.id,
            direction=agent.direction,
            started_at=datetime.now(UTC),
            agent_id=self._live.id,
            agent_version=self._live.version,
            caller=number if inbound else "",
            called="" if inbound else number,
            anonymous=not number,
            language=agent.language,
        )

    # -- for whoever writes ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin: the agent is prepared, then speaks first."""
        self._task = asyncio.create_task(self._run(), name="chat")

    @property
    def over(self) -> bool:
        """Nothing more will happen."""
        return bool(self.reason)

    def say(self, text: str) -> asyncio.Future[None]:
        """Write something; done when the agent has answered, cancelled when it never will.

        Raises Conflict: over, or too much waits for an answer.
        """
        self._refuse_when_over()
        answered: asyncio.Future[None] = self._loop.create_future()
        try:
            self._inbox.put_nowait((text, answered))
        except asyncio.QueueFull:
            raise Conflict(f"{MAX_WAITING} messages wait for an answer.", hint="Wait for the agent's answer.") from None
        self._touched = self._loop.time()
        return answered

    def press(self, digits: str) -> None:
        """Press keys: ``0-9 * #``. Raises Conflict: over, or not begun yet."""
        self._refuse_when_over()
        if self._conversation is None:
            raise Conflict("the agent has not begun yet.", hint="Wait for its first words.")
        self._touched = self._loop.time()
        for digit in digits:
            self._conversation.heard_digits(digit, "chat")

    def _refuse_when_over(self) -> None:
        if self.over or self._stop.done():
            raise Conflict("the chat is over.", hint="Begin another one.")

    def stop(self, who: Actor = "caller", why: str = EndCode.HUNG_UP) -> None:
        """Ask it to end. Idempotent."""
        if not self._stop.done():
            self._stop.set_result((who, why))

    async def ended(self) -> None:
        """Wait until everything is released."""
        if self._task is not None:
            await asyncio.wait({self._task})

    @contextlib.contextmanager
    def watch(self) -> Iterator[asyncio.Event]:
        """An event that is set whenever something happens; whoever waits for it clears it."""
        watcher = asyncio.Event()
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    @property
    def watching(self) -> int:
        """How many watch."""
        return len(self._watchers)

    def _noted(self, event: Event) -> None:
        if self._listener is not None:
            self._listener(event)
        self._wake()

    def _wake(self) -> None:
        for watcher in self._watchers:
            watcher.set()

    # -- its life ----------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        end: Ending = ("system", EndCode.INTERNAL_ERROR)
        try:
            with structlog.contextvars.bound_contextvars(chat_id=self.id):
                end = await self._talk()
        except ParlonsError as error:
            self.error = error
            self.timeline.add("system", Kind.PROVIDER, service="all", event="failed", error=str(error))
            end = ("system", EndCode.COULD_NOT_START)
        except Exception:  # a bug of ours must cost one chat, never the process
            log.exception("chat_failed", chat_id=self.id)
        finally:
            self._conversation = None
            try:
                await self._holder.aclose()
            except Exception:  # a plug-in's: it must not keep the chat open
                log.exception("chat_release_failed", chat_id=self.id)
            if self._unsaid is not None:
                self._unsaid[1].cancel()
            while not self._inbox.empty():
                self._inbox.get_nowait()[1].cancel()
            who, why = end
            self.timeline.add(who, Kind.HANG_UP, who=who, why=why, code=why)
            self.reason = why
            self._wake()

    async def _talk(self) -> Ending:
        prepared = await self._unless_stopped(self._prepared())
        if prepared is None:
            return self._stop.result()
        holder = self._holder
        holder.live, self._context, holder.providers = prepared.live, prepared.context, prepared.providers
        if holder.providers is None:
            return self._failed_over(prepared.trigger or Trigger.AGENT_UNAVAILABLE, prepared.detail)
        history: llm.ChatContext | None = None
        spent = 0.0
        while True:
            conversation = self._new(history, spent)
            end = await self._hold(conversation)
            if not isinstance(end, ConversationEnd):
                return end
            if end.why != "handed_over" or not holder.leaving:
                return self._how(end)
            history, spent = conversation.history, spent + conversation.seconds
            await self._take_over()

    async def _unless_stopped(self, work: Coroutine[Any, Any, Prepared]) -> Prepared | None:
        doing = asyncio.ensure_future(work)
        try:
            either: set[asyncio.Future[Any]] = {doing, self._stop}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            return doing.result() if doing.done() else None
        finally:
            doing.cancel()
            await asyncio.gather(doing, return_exceptions=True)

    async def _prepared(self) -> Prepared:
        """As for a call; without a server only what the agent itself holds."""
        live, context = self._live, self._context
        if self._resources is None:
            return Prepared(live, context, self._world.build_providers(live.agent, SAMPLE_RATE))
        parts = ChatParts(self._world, self._resources, self._record, self.timeline)
        return await prepare(parts, live, context, failover=self._fails_over())

    def _failed_over(self, trigger: Trigger, detail: str) -> Ending:
        self.timeline.add("system", Kind.FAILOVER, event="begun", trigger=trigger, detail=detail)
        return "system", EndCode.FAILOVER if self._fails_over() else EndCode.COULD_NOT_START

    def _fails_over(self) -> bool:
        return self._resources is not None and switched_on(self._live.agent, self._resources.directory.settings)

    def _how(self, end: ConversationEnd) -> Ending:
        if end.failed and self._fails_over() and self._live.agent.failover.during_call:
            return self._failed_over(Trigger.DURING_CALL, end.error or end.why)
        if end.why in (TRANSFERRED, "handed_over"):
            return end.who, TRANSFERRED
        return "system" if end.failed else end.who, ending.of_conversation(end)

    # -- one agent's time --------------------------------------------------------------------------------------

    def _new(self, history: llm.ChatContext | None, spent: float) -> Conversation:
        assert self._holder.providers is not None
        return Conversation(
            agent=self._live.agent,
            agent_id=self._live.id,
            context=self._context,
            providers=self._holder.providers,
            timeline=self.timeline,
            audio=None,
            outside=self._outside(),
            history=history,
            spent=spent,
        )

    def _outside(self) -> Outside:
        line = ChatLine(self.timeline, self._hand_over)
        resources = self._resources
        if resources is None:
            return Outside(line=line)
        return outside(line, resources, self._record, lambda: self._live, lambda: self._context)

    async def _hold(self, conversation: Conversation) -> ConversationEnd | Ending:
        talking = asyncio.ensure_future(conversation.wait())
        feeding: asyncio.Future[None] | None = None
        try:
            await conversation.start()
            self._conversation = conversation
            feeding = asyncio.ensure_future(self._feed(conversation))
            while True:
                left = self._touched + IDLE_SECONDS - self._loop.time()
                waiting: set[asyncio.Future[Any]] = {talking, feeding, self._stop}
                await asyncio.wait(waiting, timeout=max(0.0, left), return_when=asyncio.FIRST_COMPLETED)
                if self._stop.done():
                    return self._stop.result()
                if talking.done():
                    return talking.result()
                if feeding.done():
                    feeding.result()
                if self._touched + IDLE_SECONDS <= self._loop.time():
                    return "system", IDLE
        finally:
            both: list[asyncio.Future[Any]] = [talking] if feeding is None else [talking, feeding]
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            await conversation.close()

    async def _feed(self, conversation: Conversation) -> None:
        """One message after the other, each once the agent has nothing more to say."""
        while True:
            await conversation.replies()
            self._unsaid = self._unsaid or await self._inbox.get()
            if conversation.ended:
                return  # what came while it was handed over is for whoever takes over
            (text, answered), self._unsaid = self._unsaid, None
            try:
                await conversation.type(text)
            finally:
                if not answered.done():
                    answered.set_result(None)

    # -- another agent -----------------------------------------------------------------------------------------

    def _hand_over(self, agent_id: str) -> TransferResult:
        if self._resources is None:
            self.timeline.add("system", Kind.LEG, leg="destination", event="would_take_over", agent=agent_id)
            return TransferResult(Outcome.ANSWERED)
        if self._holder.leaving:
            return TransferResult(Outcome.REFUSED_BY_POLICY, detail="the chat is being handed over already")
        return self._holder.hand_over(agent_id, self._resources.directory)

    async def _take_over(self) -> None:
        live = await self._holder.take_over()
        self._context = self._context.handed_to(call_context(live, self._record, {}))
        self.timeline.add("system", Kind.AGENT, agent=live.id, version=live.version, language=live.agent.language)

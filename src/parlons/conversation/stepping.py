"""The step under way in one conversation: made from the agent's document, entered, opened, and left for the next.

Joins the walk to the voice runtime's session. What the runtime does with a step is in ``steps``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from livekit.agents import AgentSession, llm
from livekit.agents.voice import SpeechHandle

from ..agents.actions import RagAction, TransferAction, WorkflowAction
from ..agents.context import CallContext
from ..agents.extraction import check
from ..agents.models import Agent
from ..agents.path import WorkflowStep
from ..calls.timeline import Kind
from .actions.base import Toolbox, ToolSpec
from .actions.hang_up import FAR_BUFFER_SECONDS, HangUp, played
from .actions.rag import RagTool
from .actions.transfer import Transfer
from .actions.transition import transition_tool
from .actions.workflow import WorkflowTool, carry_out
from .host import Host
from .line import TransferResult
from .menus import Menus
from .outside import Outside
from .plan import Opening, StepPlan, first_plan, hang_up_policy
from .prompt import Templates, instructions, step_opening
from .runtime import said_so_far
from .steps import Nodes, StepAgent
from .walk import Walk
from .workflows import WorkflowResult

GRACE_SECONDS = 1.0
"""After speech that ran into a change of step: when no turn came of it by then, the step opens all the same."""
ENTER_SECONDS = 10.0
WORKFLOW_SECONDS = 10.0
"""A workflow step has no time limit of its own in the document."""


class Stepping:
    """The steps of one conversation.

    Args:
        tools: more tools, offered in every step.
        menus: the actions for menus and music.
        outside: what actions may ask of the world.
        spoke: told of every speech that begins here.
        stepped: told of each step entered.
        kept: told of words that the next step answers.
        unanswered: whether words of a turn that is not over yet are known.
    """

    def __init__(
        self,
        host: Host,
        agent: Agent,
        context: CallContext,
        templates: Templates,
        *,
        hang_up: HangUp,
        toolbox: Toolbox,
        tools: Sequence[ToolSpec],
        menus: Menus,
        outside: Outside,
        spoke: Callable[[SpeechHandle], None],
        stepped: Callable[[StepPlan], None],
        kept: Callable[[llm.ChatMessage], None],
        unanswered: Callable[[], bool],
    ) -> None:
        self._host = host
        self._agent = agent
        self._templates = templates
        self._hang_up = hang_up
        self._toolbox = toolbox
        self._more = tuple(tools)
        self._menus = menus
        self._spoke = spoke
        self._stepped = stepped
        self._kept = kept
        self._unanswered = unanswered
        self._outside = outside
        self._by_name: dict[str, WorkflowTool | RagTool] | None = None
        self._session: AgentSession[None] | None = None
        self._nodes: Nodes | None = None
        self._opening: Opening | None = None
        self._entered = asyncio.Event()
        self._owed = False
        self.plan = first_plan(agent)
        self.walk = Walk(host, self, agent.path, context, templates) if agent.path is not None else None
        transfers = [action for action in agent.actions if isinstance(action, TransferAction)]
        self._transfers = {action.name: Transfer(host, action, agent, templates, outside.line) for action in transfers}

    # -- the beginning -------------------------------------------------------------------------------------------

    async def first(self, session: AgentSession[None], nodes: Nodes, history: llm.ChatContext | None) -> StepAgent:
        """The step a session starts with."""
        self._session, self._nodes = session, nodes
        return await self._make(self.plan, history, "")

    def set_off(self, *, silent: bool) -> None:
        """The session has started; walk on when the path begins elsewhere than in a prompt step.

        Args:
            silent: nothing was said yet.
        """
        if self.plan.talks or self.walk is None:
            self._host.timeline.add("agent", Kind.STEP_ENTERED, step=self.plan.id, name=self.plan.name)
        else:
            self.walk.begin(silent=silent)

    # -- for the step under way (Moves) --------------------------------------------------------------------------

    @property
    def moving(self) -> bool:
        return self.walk is not None and self.walk.moving

    def entered(self) -> None:
        opening, self._opening = self._opening, None
        if opening is None:
            return
        assert self.walk is not None
        self.walk.arrived()
        self._entered.set()
        if not opening.speak and not self._owed:
            return
        self._owed = False
        if self._host.caller_speaking:
            self._host.spawn(self._open_later(opening, self.plan))
        else:
            self._open(opening)

    def keep(self, message: llm.ChatMessage) -> None:
        if self._session is None:
            return
        self._owed = True
        self._session.history.insert(message)
        self._kept(message)

    # -- for the walk (Stage) ------------------------------------------------------------------------------------

    async def settled(self) -> None:
        while self._session is not None and not self._host.over:
            speech = self._session.current_speech
            if speech is not None:
                await played(speech)
            if not await self._turn_of_theirs():
                return

    async def _turn_of_theirs(self) -> bool:
        """Wait for the end of a turn that the other person has begun, if any: it would be lost with the step it is
        spoken in. The wait is short when no turn comes of it (a cough)."""
        if not self._host.caller_speaking and not self._unanswered():
            return False
        turns, waited = self._hang_up.turns, 0.0
        while waited < self.plan.end_of_speech_ms / 1000 + GRACE_SECONDS and self._hang_up.turns == turns:
            waited = 0.0 if self._host.caller_speaking else waited + 0.05
            await asyncio.sleep(0.05)
        return self._hang_up.turns != turns

    async def enter(self, plan: StepPlan, opening: Opening) -> None:
        assert self._session is not None
        await self.settled()
        step = await self._make(plan, said_so_far(self._session, tools=True), opening.text)
        if self._host.over:
            return
        self.plan, self._opening = plan, opening
        self._stepped(plan)
        self._entered.clear()
        self._session.update_agent(step)
        async with asyncio.timeout(ENTER_SECONDS):
            await self._entered.wait()

    async def say_to_the_end(self, text: str) -> None:
        handle = self._host.say(text, interruptible=False) if text.strip() else None
        if handle is not None:
            await played(handle)
            await asyncio.sleep(FAR_BUFFER_SECONDS)

    async def transfer(self, action: str, text: str) -> TransferResult:
        handle = self._host.say(text, interruptible=False) if text.strip() else None
        sentence: Awaitable[object] = played(handle) if handle is not None else asyncio.sleep(0)
        task = asyncio.ensure_future(sentence)
        try:
            return await self._transfers[action].carry_out(task, wanted="1")
        finally:
            task.cancel()

    async def workflow(self, step: WorkflowStep) -> WorkflowResult:
        workflows, name = self._outside.workflows, step.name or step.id
        fields = workflows.input_of(step.workflow_id) if workflows is not None else None
        if workflows is None or fields is None:
            return WorkflowResult("error", error=f"no published live-call workflow {step.workflow_id!r}")
        render = self._templates.render
        given = {key: await render(value, f"path.{step.id}.input.{key}") for key, value in step.input.items()}
        values, problems = check(fields, given)
        if problems:
            return WorkflowResult("error", error="; ".join(problems))
        with self._host.working():
            return await carry_out(self._host, workflows, name, step.workflow_id, values, WORKFLOW_SECONDS)

    # -- making and opening --------------------------------------------------------------------------------------

    async def _make(self, plan: StepPlan, history: llm.ChatContext | None, text: str) -> StepAgent:
        assert self._nodes is not None
        agent, render = self._agent, self._templates.render
        return StepAgent(
            plan,
            self._nodes,
            self,
            instructions=instructions(
                agent,
                shared=await render(agent.prompt, "prompt"),
                step=await render(plan.prompt, f"path.{plan.id}.prompt"),
                now=datetime.now(ZoneInfo(agent.timezone)),
            ),
            tools=self._toolbox.build(self._tools(plan)),
            chat_ctx=history,
            text=text,
        )

    def _tools(self, plan: StepPlan) -> list[ToolSpec]:
        if not plan.talks:
            return []
        tools = [*self._more]
        if hang_up_policy(self._agent, plan).offered:
            tools.append(self._hang_up.tool())
        tools += [transfer.tool() for name, transfer in self._transfers.items() if name in plan.actions]
        tools += [asking.tool() for name, asking in self._asking_tools().items() if name in plan.actions]
        tools += self._menus.tools(plan)
        if self.walk is not None:
            walk = self.walk
            for transition in plan.transitions:
                tools.append(transition_tool(self._host, transition, lambda t, values: walk.take(plan, t, values)))
        return tools

    def _asking_tools(self) -> dict[str, WorkflowTool | RagTool]:
        """Those that ask outside, made when first asked for: a workflow that runs in one step is under way in the next.
        An action whose workflow is not there (any more) is not offered."""
        if self._by_name is None:
            self._by_name = {}
            workflows, knowledge = self._outside.workflows, self._outside.knowledge
            for action in self._agent.actions:
                if isinstance(action, WorkflowAction) and workflows is not None:
                    fields = workflows.input_of(action.workflow_id)
                    if fields is not None:
                        self._by_name[action.name] = WorkflowTool(self._host, action, workflows, fields)
                elif isinstance(action, RagAction) and knowledge is not None:
                    self._by_name[action.name] = RagTool(self._host, action, knowledge)
        return self._by_name

    def _open(self, opening: Opening) -> None:
        if self._host.over or self._session is None:
            return
        asked = step_opening(text=opening.text, made_up=opening.made_up, note=opening.note)
        try:
            self._spoke(self._session.generate_reply(instructions=asked))
        except RuntimeError:  # the session is going down by itself; its close event says so
            return

    async def _open_later(self, opening: Opening, plan: StepPlan) -> None:
        """The other person talks over the change of step: their turn is the step's to answer, and that opens it. When
        no turn comes of it, open it as if nothing had happened."""
        answered = await self._turn_of_theirs()
        if not answered and self.plan is plan and not self._host.busy and not self.moving:
            self._open(opening)

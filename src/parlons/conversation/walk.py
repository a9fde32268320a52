"""Where a conversation stands on its agent's path, and how it moves: one move at a time, and each of them whole.

A move is decided in one stroke (values stored, the step left), then carried out: while it lasts nothing else may
answer for the agent. Knows the path and the conversation it belongs to; no voice runtime.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

from ..agents.conditions import choose
from ..agents.context import CallContext
from ..agents.path import BranchStep, EndStep, Path, PromptStep, SayStep, TransferStep, Transition, WorkflowStep
from ..calls.timeline import Kind
from ..logs import get
from ..telephony.types import Outcome
from .host import ConversationEnd, Host
from .line import TransferResult
from .plan import Opening, StepPlan, plan_of
from .prompt import Templates, transfer_note
from .workflows import WorkflowResult

logger = get(__name__)

MAX_STEPS_IN_A_ROW = 50
"""Steps passed without a word of the other person's; more is a circle whose conditions never change."""


class Stage(Protocol):
    """What the walk asks of the conversation beyond ``Host``."""

    async def settled(self) -> None:
        """Wait until what is being said has been said, or was cut short."""
        ...

    async def enter(self, plan: StepPlan, opening: Opening) -> None:
        """Make this prompt step the one under way; returns when it is."""
        ...

    async def say_to_the_end(self, text: str) -> None:
        """Say a text that nobody can interrupt, and wait until the other person has heard it."""
        ...

    async def workflow(self, step: WorkflowStep) -> WorkflowResult:
        """Run a workflow step's workflow."""
        ...

    async def transfer(self, action: str, text: str) -> TransferResult:
        """Carry out a transfer action while ``text`` is said."""
        ...


class Walk:
    """The walk of one conversation.

    While it is ``moving``, what the other person says is kept for the step the move leads to.
    """

    def __init__(self, host: Host, stage: Stage, path: Path, context: CallContext, templates: Templates) -> None:
        self._host = host
        self._stage = stage
        self._path = path
        self._context = context
        self._templates = templates
        self._under_way: asyncio.Task[None] | None = None

    @property
    def moving(self) -> bool:
        return self._under_way is not None

    def arrived(self) -> None:
        """The step the move leads to is the one under way: another move may begin."""
        self._under_way = None

    def begin(self, *, silent: bool) -> None:
        """Set off from a start that is no prompt step. ``silent``: nothing was said yet, an opening is owed."""
        self._set_off(self._go(self._path.start, {}, [], Opening(speak=silent)))

    def take(self, plan: StepPlan, transition: Transition, values: dict[str, Any]) -> bool:
        """Leave a prompt step, in one stroke: False, and nothing happened, when a move is under way already."""
        if self.moving or self._host.over:
            return False
        for name, value in values.items():
            self._context.set_step_value(plan.id, name, value, sensitive=plan.sensitive)
        why: dict[str, Any] = {"from": plan.id, "transition": transition.name}
        if values and not plan.sensitive:
            why["values"] = values
        message = transition.message
        texts = [(message.text, f"path.{plan.id}.transitions.{transition.name}.message")] if message.text else []
        self._set_off(self._go(transition.to, why, texts, Opening(made_up=message.mode == "generated")))
        return True

    def _set_off(self, move: Coroutine[Any, Any, None]) -> None:
        self._under_way = self._host.spawn(move)

    async def _go(self, to: str, why: dict[str, Any], texts: list[tuple[str, str]], opening: Opening) -> None:
        try:
            said = [await self._templates.render(*text) for text in texts]
            await self._stage.settled()
            await self._steps(to, why, said, opening)
        except Exception as error:  # a bug of ours must not leave the caller between two steps
            logger.exception("walk_failed", step=to)
            self._host.fail("path", f"the step {to!r} could not be entered: {type(error).__name__}")
        finally:
            if self._under_way is asyncio.current_task():  # else the next move has begun already
                self._under_way = None

    async def _steps(self, to: str, why: dict[str, Any], said: list[str], opening: Opening) -> None:
        """Pass through steps until one talks or ends. What they say is said with the opening of the step that talks."""
        for _ in range(MAX_STEPS_IN_A_ROW):
            if self._host.over:
                return
            step = self._path.step(to)
            self._host.timeline.add("agent", Kind.STEP_ENTERED, step=step.id, name=step.name or step.id, **why)
            why = {"from": step.id}
            match step:
                case PromptStep():
                    await self._stage.enter(plan_of(step), opening.after(said))
                    return
                case EndStep():
                    said.append(await self._templates.render(step.text or "", f"path.{step.id}.text"))
                    await self._stage.say_to_the_end(_joined(said))
                    self._host.finish(ConversationEnd("agent", f"step {step.id}"))
                    return
                case SayStep():
                    said.append(await self._templates.render(step.text, f"path.{step.id}.text"))
                    opening = opening.owed()
                    to = step.to
                case BranchStep():
                    to, held = choose(step, self._context.variables())
                    why["condition"] = "else" if held is None else _condition(held)
                case TransferStep():
                    result = await self._stage.transfer(step.action, _joined(said))
                    if result.outcome in (Outcome.ANSWERED, Outcome.CALLER_LEFT):
                        return
                    said.clear()
                    self._context.note(step.id, "outcome", result.outcome.value)
                    why["outcome"] = result.outcome.value
                    opening = Opening(note=transfer_note(result))
                    wanted = {str(outcome): target for outcome, target in step.outcomes.items()}
                    to = wanted.get(result.outcome.value, step.otherwise)
                case WorkflowStep():
                    if text := _joined(said):
                        self._host.say(text, interruptible=False)  # while it runs
                    said.clear()
                    ran = await self._stage.workflow(step)
                    why["outcome"] = ran.status
                    if ran.error:
                        why["error"] = ran.error
                    opening = opening.owed()
                    to = step.on_success if ran.status == "ok" else step.on_error
        self._host.fail("path", f"{MAX_STEPS_IN_A_ROW} steps in a row without a word: the conditions lead in a circle")


def _joined(said: list[str]) -> str:
    return " ".join(text.strip() for text in said if text.strip())


def _condition(held: Any) -> str:
    value = "" if held.value is None else f" {held.value}"
    return f"{held.variable} {held.operator}{value}"

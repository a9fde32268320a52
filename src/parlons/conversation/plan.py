"""A prompt step of the path before anything is rendered, and how it opens. Pure data."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..agents.actions import HangUpAction
from ..agents.models import Agent
from ..agents.path import PromptStep, Transition
from .actions.hang_up import HangUpPolicy


@dataclass(frozen=True, slots=True)
class StepPlan:
    """What a prompt step asks for. ``talks`` is false where a walk stands before its first prompt step."""

    id: str
    name: str
    prompt: str = ""
    end_of_speech_ms: int = 600
    interruptible: bool = True
    sensitive: bool = False
    actions: tuple[str, ...] = ()
    transitions: tuple[Transition, ...] = ()
    talks: bool = True


@dataclass(frozen=True, slots=True)
class Opening:
    """How a prompt step opens.

    Args:
        speak: the model has the first word; false only after a greeting that is the opening already.
        text: said first, as it is written.
        made_up: the model makes up a short sentence that leads over.
        note: told to the model for this opening.
    """

    speak: bool = True
    text: str = ""
    made_up: bool = False
    note: str = ""

    def after(self, said: list[str]) -> Opening:
        """The same, with what the steps on the way say."""
        return replace(self, text=" ".join(text.strip() for text in said if text.strip()))

    def owed(self) -> Opening:
        """The same, and the model speaks: something was said or done that leads on."""
        return replace(self, speak=True)


def plan_of(step: PromptStep) -> StepPlan:
    """A prompt step's plan."""
    return StepPlan(
        id=step.id,
        name=step.name or step.id,
        prompt=step.prompt,
        end_of_speech_ms=step.end_of_speech_ms,
        interruptible=step.interruptible,
        sensitive=step.sensitive,
        actions=tuple(step.actions),
        transitions=tuple(step.transitions),
    )


def first_plan(agent: Agent) -> StepPlan:
    """Where a conversation begins; an agent without a path is one step with every action on."""
    if agent.path is None:
        return StepPlan(id="start", name=agent.name, actions=tuple(action.name for action in agent.actions))
    start = agent.path.step(agent.path.start)
    if isinstance(start, PromptStep):
        return plan_of(start)
    return StepPlan(id=start.id, name=start.name or start.id, talks=False)


def hang_up_policy(agent: Agent, plan: StepPlan) -> HangUpPolicy:
    """How this step hangs up: the agent's own action, shown only where it is enabled, or the hidden default."""
    configured = next((action for action in agent.actions if isinstance(action, HangUpAction)), None)
    offered = plan.talks and (configured is None or configured.name in plan.actions)
    return HangUpPolicy.of(configured, offered=offered)

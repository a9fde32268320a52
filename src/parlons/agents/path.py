"""The conversation graph as data: six kinds of step joined by transitions, and the check that it holds together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from .common import Description, Document, Identifier, ShortText, Template, VariableName, unique

StepId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
"""No dot: a template reads a step's values as ``path.<step>.<name>``."""
TransitionName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
ValueType = Literal["string", "integer", "number", "boolean"]
TransferOutcome = Literal[
    "answered",
    "busy",
    "no_answer",
    "declined",
    "unreachable",
    "out_of_hours",
    "invalid_destination",
    "refused_by_policy",
    "caller_left",
]
Operator = Literal[
    "equals",
    "not_equals",
    "contains",
    "starts_with",
    "greater_than",
    "less_than",
    "is_set",
    "is_not_set",
    "is_true",
    "is_false",
]
OPERATORS_WITHOUT_VALUE = frozenset({"is_set", "is_not_set", "is_true", "is_false"})


class TransitionMessage(Document):
    """What is said on the way: ``text`` as written, ``generated`` by the model, or nothing."""

    mode: Literal["text", "generated", "silent"] = "silent"
    text: Template | None = None

    @model_validator(mode="after")
    def _text_for_text(self) -> Self:
        if self.mode == "text" and not (self.text or "").strip():
            raise ValueError("mode text needs a text")
        if self.mode != "text" and self.text is not None:
            raise ValueError(f"mode {self.mode} takes no text")
        return self


class Extraction(Document):
    """A value the model must give when it takes the transition; stored in the call context."""

    name: VariableName
    description: Description
    type: ValueType = "string"
    required: bool = True


class Transition(Document):
    """A way out of a prompt step; the model sees it as one tool."""

    name: TransitionName
    description: Description
    to: StepId
    message: TransitionMessage = TransitionMessage()
    extract: Annotated[list[Extraction], Field(max_length=50)] = []

    @model_validator(mode="after")
    def _unique_values(self) -> Self:
        unique([e.name for e in self.extract], "value")
        return self


class Condition(Document):
    """A test of one context variable (dotted names reach inside), never an expression."""

    variable: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.\-]{0,199}$")]
    operator: Operator
    value: str | int | float | bool | None = None

    @model_validator(mode="after")
    def _value(self) -> Self:
        if self.operator in OPERATORS_WITHOUT_VALUE:
            if self.value is not None:
                raise ValueError(f"{self.operator} takes no value")
        elif self.value is None:
            raise ValueError(f"{self.operator} needs a value")
        return self


class Branch(Condition):
    """A condition and the step it leads to."""

    to: StepId


class Step(Document):
    """What every step has."""

    model_config = ConfigDict(serialize_by_alias=True)

    id: StepId
    name: ShortText | None = None

    def targets(self) -> Iterator[str]:
        """Every step this one may lead to."""
        yield from ()


class PromptStep(Step):
    """The model talks, with its own prompt and its own choice of actions (by name)."""

    type: Literal["prompt"]
    prompt: Template
    actions: list[str] = []
    transitions: Annotated[list[Transition], Field(max_length=50)] = []
    end_of_speech_ms: Annotated[int, Field(ge=100, le=5000)] = 600
    interruptible: bool = True
    sensitive: bool = False

    @model_validator(mode="after")
    def _unique_names(self) -> Self:
        unique([t.name for t in self.transitions], "transition")
        unique(self.actions, "action")
        return self

    def targets(self) -> Iterator[str]:
        yield from (t.to for t in self.transitions)


class SayStep(Step):
    """Fixed text, then on to the only next step."""

    type: Literal["say"]
    text: Annotated[Template, Field(min_length=1)]
    to: StepId

    def targets(self) -> Iterator[str]:
        yield self.to


class BranchStep(Step):
    """The first condition that holds decides; otherwise ``else``."""

    type: Literal["branch"]
    branches: Annotated[list[Branch], Field(min_length=1, max_length=50)]
    otherwise: Annotated[StepId, Field(alias="else")]

    def targets(self) -> Iterator[str]:
        yield from (b.to for b in self.branches)
        yield self.otherwise


class WorkflowStep(Step):
    """Run a live-call workflow; one way out for success and one for error."""

    type: Literal["workflow"]
    workflow_id: Identifier
    input: dict[VariableName, Template] = {}
    on_success: StepId
    on_error: StepId

    def targets(self) -> Iterator[str]:
        yield self.on_success
        yield self.on_error


class TransferStep(Step):
    """Carry out a transfer action; one way out for each outcome wanted, ``else`` for the rest."""

    type: Literal["transfer"]
    action: str
    outcomes: dict[TransferOutcome, StepId] = {}
    otherwise: Annotated[StepId, Field(alias="else")]

    def targets(self) -> Iterator[str]:
        yield from self.outcomes.values()
        yield self.otherwise


class EndStep(Step):
    """Say something (or nothing), then hang up."""

    type: Literal["end"]
    text: Template | None = None


AnyStep = Annotated[
    PromptStep | SayStep | BranchStep | WorkflowStep | TransferStep | EndStep, Field(discriminator="type")
]


class Path(Document):
    """The graph. Valid when every step it names exists and every step can be reached."""

    start: StepId
    steps: Annotated[list[AnyStep], Field(min_length=1, max_length=500)]

    def step(self, step_id: str) -> Any:
        """The step with this id. Raises KeyError when there is none."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        unique([s.id for s in self.steps], "step")
        by_id = {s.id: s for s in self.steps}
        if self.start not in by_id:
            raise ValueError(f"start names the step {self.start!r}, which does not exist")
        for step in self.steps:
            for target in step.targets():
                if target not in by_id:
                    raise ValueError(f"step {step.id!r} leads to {target!r}, which does not exist")
        reached, waiting = {self.start}, [self.start]
        while waiting:
            for target in by_id[waiting.pop()].targets():
                if target not in reached:
                    reached.add(target)
                    waiting.append(target)
        lost = [s.id for s in self.steps if s.id not in reached]
        if lost:
            raise ValueError(f"no transition leads to: {', '.join(lost)}")
        spinning = _silent_loop(by_id)
        if spinning:
            raise ValueError(f"these steps lead only to each other and nobody can speak: {', '.join(spinning)}")
        return self


def _silent_loop(by_id: dict[str, Any]) -> list[str]:
    """Steps from which no prompt or end step can be reached: a call there would never leave."""
    alive = {i for i, s in by_id.items() if s.type in ("prompt", "end")}
    grew = True
    while grew:
        grew = False
        for step_id, step in by_id.items():
            if step_id not in alive and any(t in alive for t in step.targets()):
                alive.add(step_id)
                grew = True
    return [i for i in by_id if i not in alive]

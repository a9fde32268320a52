"""Workflows and data sources, as data (specification, sections 6 and 7)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from .common import (
    Description,
    Document,
    HttpUrl,
    LanguageTag,
    ShortText,
    Template,
    VariableName,
    json_templates,
    unique,
)
from .path import Condition, ValueType

Trigger = Literal["pre_call", "live_call", "post_call", "failover"]
"""What a workflow is run by."""

JsonTemplates = Annotated[Any, AfterValidator(json_templates)]
"""Any JSON value; every text inside it is a template."""


class InputField(Document):
    """A typed value a workflow takes."""

    name: VariableName
    type: ValueType = "string"
    description: Annotated[str, StringConstraints(max_length=1000)] = ""
    required: bool = False


class StepBase(Document):
    """What every workflow step has; its result is ``steps.<id>``."""

    model_config = ConfigDict(serialize_by_alias=True)

    id: VariableName
    on_error: Literal["stop", "continue"] = "stop"


class HttpStep(StepBase):
    """One HTTP request. Every text is a template; secrets are written ``{{ secrets.NAME }}``."""

    type: Literal["http"]
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] = "GET"
    url: Annotated[Template, Field(min_length=1)]
    headers: dict[str, Template] = {}
    query: dict[str, Template] = {}
    body: JsonTemplates = None
    timeout_seconds: Annotated[float, Field(ge=0.1, le=60)] = 5
    retries: Annotated[int, Field(ge=0, le=5)] = 0
    expected_status: list[Annotated[int, Field(ge=100, le=599)]] = []


class SetStep(StepBase):
    """Set context variables from templates."""

    type: Literal["set"]
    values: dict[VariableName, JsonTemplates]


class ConditionalSteps(Condition):
    """Steps to run when the condition holds."""

    steps: list[WorkflowStepModel] = []


class BranchStep(StepBase):
    """The first branch whose condition holds runs; otherwise ``else``."""

    type: Literal["branch"]
    branches: Annotated[list[ConditionalSteps], Field(min_length=1, max_length=20)]
    otherwise: Annotated[list[WorkflowStepModel], Field(alias="else")] = []


class DelayStep(StepBase):
    """Wait."""

    type: Literal["delay"]
    seconds: Annotated[float, Field(gt=0, le=120)]


class ReturnStep(StepBase):
    """End the workflow with this value; every text inside is a template."""

    type: Literal["return"]
    value: JsonTemplates = None


WorkflowStepModel = Annotated[HttpStep | SetStep | BranchStep | DelayStep | ReturnStep, Field(discriminator="type")]
ConditionalSteps.model_rebuild()
BranchStep.model_rebuild()


class Workflow(Document):
    """Steps (or one webhook) run against outside systems."""

    name: ShortText
    trigger: Trigger
    status: Literal["draft", "published", "disabled"] = "draft"
    kind: Literal["steps", "webhook"] = "steps"
    description: Annotated[str, StringConstraints(max_length=4000)] = ""
    input: Annotated[list[InputField], Field(max_length=50)] = []
    steps: Annotated[list[WorkflowStepModel], Field(max_length=100)] | None = None
    url: HttpUrl | None = None
    headers: dict[str, str] = {}
    secret: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None

    @model_validator(mode="after")
    def _kind(self) -> Self:
        if self.kind == "steps":
            if self.steps is None:
                raise ValueError("a workflow of kind steps needs steps")
            if self.url or self.headers or self.secret:
                raise ValueError("url, headers and secret belong to a workflow of kind webhook")
        else:
            if self.url is None:
                raise ValueError("a workflow of kind webhook needs a url")
            if self.steps is not None:
                raise ValueError("a workflow of kind webhook has no steps")
        unique([f.name for f in self.input], "input")
        unique(list(_ids(self.steps or [])), "step")
        return self


def _ids(steps: list[Any]) -> list[str]:
    found: list[str] = []
    for step in steps:
        found.append(step.id)
        if isinstance(step, BranchStep):
            for branch in step.branches:
                found += _ids(branch.steps)
            found += _ids(step.otherwise)
    return found


class WebPage(Document):
    """A single web page to read into a data source."""

    url: HttpUrl


class DataSource(Document):
    """A knowledge base that a ``rag`` action searches. Files are added beside it (``parlons knowledge add``).

    ``language`` says how its words are indexed; ``pages`` are web pages that are read as documents of it.
    """

    name: ShortText
    language: LanguageTag = "en-GB"
    description: Description | None = None
    pages: Annotated[list[WebPage], Field(max_length=500)] = []

    @model_validator(mode="after")
    def _pages_differ(self) -> Self:
        unique([page.url for page in self.pages], "page")
        return self

"""What a workflow's result means to the call that ran it, by trigger (specification, sections 5 and 6). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, TypeAdapter, ValidationError

from ..agents.common import Document, Identifier, LanguageTag, Template, unique
from ..agents.context import RESERVED
from ..agents.models import FailoverTransfer, Voice
from ..agents.problems import problems_of
from .failures import ResultInvalid

_PRE_CALL_KEYS = ("context", "agent_configuration", "failover")
_LIVE_CALL_KEYS = frozenset({"result", "context"})


def _voice(value: Any) -> Any:
    return {"id": value} if isinstance(value, str) else value


class AgentConfiguration(Document):
    """What a pre-call workflow may change of the agent, for one call; what is not set stays.

    ``voice`` is an id, or an id with a speed. ``data_source_ids`` replaces the source of every ``rag`` action;
    ``actions`` (names) narrows what each step already enables.
    """

    greeting: Template | None = None
    prompt: Template | None = None
    voice: Annotated[Voice, BeforeValidator(_voice)] | None = None
    language: LanguageTag | None = None
    max_call_seconds: Annotated[int, Field(ge=10, le=14_400)] | None = None
    record_audio: bool | None = None
    data_source_ids: Annotated[list[Identifier], Field(max_length=100)] | None = None
    actions: Annotated[list[Annotated[str, StringConstraints(max_length=64)]], Field(max_length=100)] | None = None

    def model_post_init(self, _context: Any) -> None:
        unique(self.data_source_ids or [], "data source")
        unique(self.actions or [], "action")


class FailoverWords(Document):
    """A message a failover workflow asks for: a template, rendered then spoken live; the agent's language if none."""

    type: Literal["message"]
    text: Annotated[Template, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
    language: LanguageTag | None = None


FailoverAnswer = Annotated[FailoverWords | FailoverTransfer, Field(discriminator="type")]
_failover_answer: TypeAdapter[FailoverWords | FailoverTransfer] = TypeAdapter(FailoverAnswer)


@dataclass(frozen=True, slots=True)
class PreCallAnswer:
    """A valid pre-call result. ``failover``: the workflow asks for failover."""

    context: Mapping[str, Any] = field(default_factory=dict)
    agent_configuration: AgentConfiguration | None = None
    failover: bool = False


@dataclass(frozen=True, slots=True)
class LiveCallAnswer:
    """A live-call result: for the model, and for the call's context."""

    result: Any = None
    context: Mapping[str, Any] = field(default_factory=dict)


def pre_call(result: Any, set_context: Mapping[str, Any] | None = None) -> PreCallAnswer:
    """Read the result of a pre-call run.

    Args:
        set_context: ``Run.context``, what its ``set`` steps set; the result's own context wins.

    Raises:
        ResultInvalid: saying which part, and why.
    """
    base = dict(set_context or {})
    if result is None:
        return PreCallAnswer(_context(base, "context"))
    if not isinstance(result, dict):
        raise ResultInvalid(f"the pre-call result is {_kind(result)}; it must be an object, or nothing.")
    if not any(key in result for key in _PRE_CALL_KEYS):
        return PreCallAnswer({**base, **_context(result, "")})
    for key in result:
        if key not in _PRE_CALL_KEYS:
            raise ResultInvalid(
                f"{key!r:.80} is not allowed beside {', '.join(k for k in _PRE_CALL_KEYS if k in result)}.",
                hint="Put variables inside context.",
            )
    context = _context(result.get("context", {}), "context")
    failover = result.get("failover", False)
    if not isinstance(failover, bool):
        raise ResultInvalid(f"failover is {_kind(failover)}; it must be true or false.")
    configuration: AgentConfiguration | None = None
    if "agent_configuration" in result:
        configuration = _configuration(result["agent_configuration"])
    return PreCallAnswer({**base, **context}, configuration, failover)


def live_call(result: Any, set_context: Mapping[str, Any] | None = None) -> LiveCallAnswer:
    """Read the result of a live-call run: ``{result, context}``, or any other JSON, which is all result.

    Raises:
        ResultInvalid: a name in the context is reserved.
    """
    base = dict(set_context or {})
    if isinstance(result, dict) and result and result.keys() <= _LIVE_CALL_KEYS:
        context = result.get("context", {})
        if isinstance(context, dict):
            return LiveCallAnswer(result.get("result"), {**base, **_context(context, "context")})
    return LiveCallAnswer(result, base)


def failover(result: Any) -> FailoverWords | FailoverTransfer | None:
    """The action a failover run asks for; None when it asks for none, then the call ends.

    Raises:
        ResultInvalid: there is one and it cannot be carried out.
    """
    if not isinstance(result, dict) or result.get("failover_action") is None:
        return None
    action = result["failover_action"]
    try:
        return _failover_answer.validate_python(action)
    except ValidationError as error:
        raise _invalid("failover_action", error, action) from error


def _configuration(value: Any) -> AgentConfiguration:
    if not isinstance(value, dict):
        raise ResultInvalid(f"agent_configuration is {_kind(value)}; it must be an object.")
    try:
        return AgentConfiguration.model_validate(value)
    except ValidationError as error:
        raise _invalid("agent_configuration", error, value) from error


def _context(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ResultInvalid(f"{where} is {_kind(value)}; it must be an object.")
    for name in value:
        if not isinstance(name, str) or not name:
            raise ResultInvalid("the name of a variable must be a text that is not empty.")
        if name in RESERVED:
            raise ResultInvalid(f"{name!r} is reserved; it cannot be set{f' in {where}' if where else ''}.")
    return dict(value)


def _invalid(what: str, error: ValidationError, data: Any) -> ResultInvalid:
    problems = problems_of(error, data)
    listed = "; ".join(f"{what}.{path}: {text}" if path else f"{what}: {text}" for path, text in problems[:5])
    return ResultInvalid(listed[:1000])


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    names: dict[type, str] = {str: "a text", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")

"""What an agent is: one document, the same in files, API, database and console (specification, section 3)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from .actions import AnyAction, HangUpAction, KeypadAction, RingSeconds, TransferAction, WaitAction
from .common import (
    E164,
    Document,
    Header,
    HttpUrl,
    Identifier,
    LanguageTag,
    ShortText,
    SpokenText,
    Template,
    TimeZoneName,
    slug,
    unique,
)
from .path import Path, PromptStep, TransferStep


class Provider(Document):
    """One speech or language provider. ``api_key``: in files only as ``${NAME}``, read from the environment."""

    type: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    model: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    base_url: HttpUrl | None = None
    api_key: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None


class Voice(Document):
    """A voice of the provider it stands with; ``speed`` 1.0 is the voice's own pace."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    speed: Annotated[float, Field(ge=0.5, le=2.0)] = 1.0


class SpeechProvider(Provider):
    """A text-to-speech provider and the voice it uses."""

    voice: Voice = Voice()


class Providers(Document):
    """Providers in order of preference: when one fails, the next takes over. One or a list of each."""

    stt: Annotated[list[Provider], Field(min_length=1, max_length=5)] = [Provider(type="embedded")]
    llm: Annotated[list[Provider], Field(min_length=1, max_length=5)] = [Provider(type="embedded")]
    tts: Annotated[list[SpeechProvider], Field(min_length=1, max_length=5)] = [SpeechProvider(type="embedded")]

    @field_validator("stt", "llm", "tts", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return [value] if isinstance(value, (dict, Provider)) else value


class PreCall(Document):
    """The workflow run while the phone rings."""

    workflow_id: Identifier
    timeout_seconds: Annotated[int, Field(ge=1, le=20)] = 5


class FailoverMessage(SpokenText):
    """Answer, say this, hang up."""

    type: Literal["message"]


class FailoverWorkflow(Document):
    """Let a failover workflow decide."""

    type: Literal["workflow"]
    workflow_id: Identifier


class FailoverTransfer(Document):
    """Ring somebody instead: a number, or a destination behind a SIP connection."""

    type: Literal["transfer"]
    max_ring_seconds: RingSeconds = 20
    phone: E164 | None = None
    sip_connection_id: Identifier | None = None
    destination_id: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    user_to_user: Annotated[Template, StringConstraints(max_length=1000)] | None = None
    headers: Annotated[list[Header], Field(max_length=50)] = []

    @model_validator(mode="after")
    def _where(self) -> Self:
        if (self.phone is None) == (self.sip_connection_id is None):
            raise ValueError("give exactly one of phone and sip_connection_id")
        if self.phone is not None and (self.destination_id or self.user_to_user or self.headers):
            raise ValueError("destination_id, user_to_user and headers need a sip_connection_id")
        unique([h.name.lower() for h in self.headers], "header")
        return self


FailoverAction = Annotated[FailoverMessage | FailoverWorkflow | FailoverTransfer, Field(discriminator="type")]


class Failover(Document):
    """What the caller gets when something fails before the agent can speak."""

    enabled: bool = False
    forced_until: datetime | None = None
    during_call: bool = False
    action: FailoverAction | None = None

    @model_validator(mode="after")
    def _action_when_enabled(self) -> Self:
        if self.enabled and self.action is None:
            raise ValueError("enabled failover needs an action: message, transfer or workflow")
        if self.forced_until is not None and self.forced_until.tzinfo is None:
            raise ValueError("forced_until needs an offset, as in 2026-12-24T18:00:00+01:00")
        return self


class Agent(Document):
    """The configured thing that talks."""

    name: ShortText
    direction: Literal["inbound", "outbound"] = "inbound"
    active: bool = True
    language: LanguageTag = "en-GB"
    timezone: TimeZoneName = "Europe/Paris"
    phone_numbers: Annotated[list[E164], Field(max_length=1000)] = []
    sip_connection_id: Identifier | None = None
    max_call_seconds: Annotated[int, Field(ge=10, le=14_400)] = 1800
    record_audio: bool = False
    announcement: Template | None = None
    pronunciations: dict[str, str | dict[LanguageTag, str]] = {}
    providers: Providers = Providers()
    greeting: Template | None = None
    prompt: Template = ""
    silence_check_seconds: Annotated[int, Field(ge=3, le=60)] = 10
    path: Path | None = None
    actions: Annotated[list[AnyAction], Field(max_length=100)] = []
    pre_call: PreCall | None = None
    failover: Failover = Failover()
    default_error_message: SpokenText | None = None

    @field_validator("pronunciations")
    @classmethod
    def _pronunciations(cls, value: dict[str, str | dict[str, str]]) -> dict[str, str | dict[str, str]]:
        if len(value) > 1000:
            raise ValueError("at most 1000 pronunciations")
        for word in value:
            if not word.strip() or len(word) > 100:
                raise ValueError(f"{word!r} is not a word of 1 to 100 characters")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        unique(self.phone_numbers, "number")
        unique([a.name for a in self.actions], "action")
        for name, kind in (("hang_up", HangUpAction), ("keypad", KeypadAction), ("wait", WaitAction)):
            if sum(isinstance(a, kind) for a in self.actions) > 1:
                raise ValueError(f"only one {name} action per agent")
        tools = {slug(a.name): a.name for a in self.actions}
        if len(tools) < len(self.actions):
            raise ValueError("two actions have names that look the same to the model; rename one")
        if self.direction == "outbound" and self.failover.enabled:
            raise ValueError("failover is for inbound agents: switch it off")
        if self.path is not None:
            self._check_path(self.path)
        return self

    def _check_path(self, path: Path) -> None:
        actions = {a.name: a for a in self.actions}
        for step in path.steps:
            if isinstance(step, PromptStep):
                for name in step.actions:
                    if name not in actions:
                        raise ValueError(f"step {step.id!r} enables the action {name!r}, which does not exist")
                enabled = {slug(name) for name in step.actions}
                for transition in step.transitions:
                    if transition.name in enabled:
                        raise ValueError(
                            f"in step {step.id!r} the transition {transition.name!r} and an action have the "
                            "same name for the model; rename one"
                        )
            elif isinstance(step, TransferStep) and not isinstance(actions.get(step.action), TransferAction):
                raise ValueError(f"step {step.id!r} needs a transfer action named {step.action!r}")

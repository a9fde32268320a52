"""``/v1/providers``: providers of speech and language, how each stands, and asking one now. Keys are never told."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from parlons.errors import NotFound, ParlonsError

from ..access import Reader, Writer
from ..bodies import Id, Shape, answer, returns
from ..idempotency import Route
from ..services import Parts, ProviderView, Services

router = APIRouter(prefix="/v1/providers", tags=["providers"], route_class=Route)


class ProviderStatus(Shape):
    """A provider that agents use, or could. Those in use are watched in the background."""

    id: Annotated[str, Field(description="for a check; may change when the server starts again", examples=["openai"])]
    type: Annotated[str, Field(description="its name in an agent", examples=["openai", "embedded"])]
    server: Annotated[str, Field(description="without any secret; empty: in the process", examples=["https://host/v1"])]
    services: Annotated[
        list[Literal["stt", "llm", "tts"]],
        Field(description="what agents use it for; what it offers when none does"),
    ]
    agents: Annotated[list[str], Field(description="names of the active agents that use it")]
    configured: Annotated[bool, Field(description="its key and its plug-in are there")]
    state: Annotated[
        Literal["usable", "down", "refused", "unknown", "not_configured"],
        Field(description="refused: its key; unknown: not asked lately, as those that no agent uses"),
    ]
    since: Annotated[datetime | None, Field(description="of the last change of state")]
    last_error: Annotated[str, Field(description="what the last failed check said; kept after a recovery")]
    hint: Annotated[str, Field(description="what to do about it")]
    checked_at: datetime | None


class ProviderStatusList(Shape):
    """Providers, those in use first."""

    items: list[ProviderStatus]


class ProviderCheck(Shape):
    """What a provider said just now."""

    ok: bool
    detail: Annotated[str, Field(examples=["it answered", "it refused the key (401)."])]
    hint: Annotated[str, Field(description="what to do about it; empty when it can be used")]
    provider: Annotated[ProviderStatus | None, Field(description="as it stands after the check")]


def _shape(view: ProviderView) -> ProviderStatus:
    return ProviderStatus.model_validate({name: getattr(view, name) for name in ProviderStatus.model_fields})


def _one(parts: Services, provider_id: str) -> ProviderStatus | None:
    return next((_shape(view) for view in parts.providers() if view.id == provider_id), None)


@router.get("", **returns(ProviderStatusList))
async def list_providers(_who: Reader, parts: Parts) -> Response:
    """Every provider that an active agent uses or that an agent could name, and how it stands."""
    return await answer(ProviderStatusList(items=[_shape(view) for view in parts.providers()]))


@router.post("/{provider_id}/check", **returns(ProviderCheck))
async def check_provider(_who: Writer, parts: Parts, provider_id: Id) -> Response:
    """Ask a provider now whether it can be used: a request that costs nothing. Takes up to ten seconds."""
    try:
        ok, detail, hint = True, await parts.check_provider(provider_id), ""
    except NotFound:
        raise
    except ParlonsError as error:
        ok, detail, hint = False, error.message, error.hint
    return await answer(ProviderCheck(ok=ok, detail=detail, hint=hint, provider=_one(parts, provider_id)))

"""``/v1/alerts``: trying the address that hears when calls fail. The address itself is in the settings."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from parlons.workflows.failures import WorkflowError

from ..access import Admin
from ..bodies import Shape, answer, returns
from ..changes import note
from ..idempotency import Route
from ..services import Parts

router = APIRouter(prefix="/v1/alerts", tags=["settings"], route_class=Route)


class AlertTest(Shape):
    """How ``alert_url`` answered just now."""

    ok: bool
    detail: Annotated[str, Field(examples=["HTTP 204", "the service answered 404."])]
    hint: Annotated[str, Field(description="what to do about it; empty when it was taken")]


@router.post("/test", **returns(AlertTest, 200, 409))
async def send_test_alert(who: Admin, parts: Parts) -> Response:
    """Send ``alert_url``, as it is saved, one POST of the kind ``test``. Takes up to ten seconds."""
    try:
        ok, detail, hint = True, await parts.test_alert(), ""
    except WorkflowError as error:
        ok, detail, hint = False, error.message, error.hint
    await note(parts, who, "alert.test", ("settings", "settings"), None, {"delivered": ok})
    return await answer(AlertTest(ok=ok, detail=detail, hint=hint))

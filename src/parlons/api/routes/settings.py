"""``/v1/settings``: the installation's settings, one document."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Response

from parlons.agents.connections import InstallationSettings
from parlons.store.sealing import KEPT

from .. import references
from ..access import Admin, Principal, Reader
from ..bodies import Body, Revision, Shape, answer, refuse_stale, returns
from ..changes import note
from ..idempotency import Route
from ..problems import Stale
from ..services import Parts, Services

router = APIRouter(prefix="/v1/settings", tags=["settings"], route_class=Route)


class SettingsResource(Shape):
    """The settings; revision 0 until they are saved for the first time."""

    revision: int
    document: InstallationSettings


async def _settings(parts: Services, who: Principal) -> Response:
    revision = await parts.store.settings.revision()
    document = await parts.store.settings.get()
    if document.alert_url is not None and not who.may("admin"):  # its path is often a key
        document = document.model_copy(update={"alert_url": _host_of(document.alert_url)})
    return await answer(SettingsResource(revision=revision, document=document), revision=revision)


def _host_of(address: str) -> str:
    try:
        url = urlsplit(address)
    except ValueError:  # what never was an address was taken as one once
        return KEPT
    return f"{url.scheme}://{url.hostname or KEPT}/{KEPT}"


@router.get("", **returns(SettingsResource))
async def get_settings(who: Reader, parts: Parts) -> Response:
    """The settings. Of the address to alert, only administrators see more than the host."""
    return await _settings(parts, who)


@router.put("", **returns(SettingsResource))
async def save_settings(
    who: Admin,
    parts: Parts,
    revision: Revision,
    body: Annotated[InstallationSettings, Depends(Body(InstallationSettings))],
) -> Response:
    """Save the settings; they count from the next call."""
    store = parts.store
    await references.check(store, body)
    async with store.transaction():
        refuse_stale("the settings", await store.settings.revision(), revision)
        before = await store.settings.get()
        saved = await store.settings.put(body)
        if revision is not None and saved != revision + 1:  # somebody's save came between: undone as we leave
            raise Stale("the settings", saved - 1, revision)
        await note(parts, who, "settings.save", ("settings", "settings"), before, body)
    await parts.make_live()
    return await _settings(parts, who)

"""Connections, workflows, data sources, settings, secrets."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from parlons.agents.connections import InstallationSettings, SipConnection
from parlons.agents.workflows import DataSource, Workflow
from parlons.errors import InvalidDocument, NotFound, SecretUnreadable
from parlons.store import SecretKey, Store
from parlons.store.sealing import KEPT
from parlons.store.tables import secrets, sip_connections

CONNECTION: dict[str, Any] = {
    "name": "Trunk",
    "host": "sip.example",
    "username": "u",
    "password": "p4ssword",
    "register": True,
    "inbound_username": "i",
    "inbound_password": "${INBOUND_PASSWORD}",
}


def connection(**changes: Any) -> SipConnection:
    return SipConnection.model_validate(CONNECTION | changes)


async def test_passwords_are_sealed_and_never_given_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await store.connections.put("trunk", connection()) == 1
    shown = await store.connections.get("trunk")
    assert (shown.password, shown.inbound_password) == (KEPT, "${INBOUND_PASSWORD}")
    assert await store.connections.list() == {"trunk": shown}
    async with store._database.read() as opened:
        assert "p4ssword" not in repr((await opened.execute(sa.select(sip_connections))).all())
    found = await store.connections.credentials("trunk")
    assert (found.username, found.password, found.inbound_password) == ("u", "p4ssword", None)
    monkeypatch.setenv("INBOUND_PASSWORD", "in")
    assert (await store.connections.credentials("trunk")).inbound_password == "in"
    assert "p4ssword" not in repr(found)


async def test_saving_what_was_read_keeps_the_password(store: Store) -> None:
    await store.connections.put("trunk", connection())
    shown = await store.connections.get("trunk")
    assert await store.connections.put("trunk", shown.model_copy(update={"name": "Renamed"})) == 2
    assert (await store.connections.credentials("trunk")).password == "p4ssword"
    await store.connections.put("trunk", connection(password=None, register=False))
    assert (await store.connections.credentials("trunk")).password is None
    with pytest.raises(InvalidDocument, match="password"):
        await store.connections.put("trunk", connection(password=KEPT))


async def test_the_wrong_key_is_explained(store: Store, url: str) -> None:
    await store.connections.put("trunk", connection())
    other = await Store.open(url, SecretKey("another key, also long enough"))
    assert (await other.connections.get("trunk")).name == "Trunk"
    with pytest.raises(SecretUnreadable, match="cannot be read"):
        await other.connections.credentials("trunk")
    await other.close()


async def test_workflows_and_their_secret(store: Store) -> None:
    hook = Workflow.model_validate(
        {"name": "Hook", "trigger": "pre_call", "kind": "webhook", "url": "https://h.example", "secret": "sign"}
    )
    await store.workflows.put("hook", hook)
    assert (await store.workflows.get("hook")).secret == KEPT
    assert (await store.workflows.in_clear("hook")) == hook
    assert await store.workflows.all_in_clear() == {"hook": hook}
    steps = {"type": "branch", "id": "b", "branches": [{"variable": "x", "operator": "is_set"}], "else": []}
    plain = Workflow.model_validate({"name": "Steps", "trigger": "live_call", "steps": [steps]})
    await store.workflows.put("plain", plain)
    assert (await store.workflows.get("plain")) == plain
    assert list(await store.workflows.list()) == ["hook", "plain"]


async def test_data_sources_are_stored_and_deleted(store: Store) -> None:
    await store.data_sources.put("faq", DataSource(name="FAQ", language="fr-FR"))
    assert (await store.data_sources.get("faq")).language == "fr-FR"
    await store.data_sources.delete("faq")
    for attempt in (store.data_sources.get("faq"), store.data_sources.delete("faq")):
        with pytest.raises(NotFound, match="data source 'faq'"):
            await attempt
    assert await store.data_sources.revision("faq") == 0


async def test_settings_are_the_defaults_until_saved(store: Store) -> None:
    assert await store.settings.get() == InstallationSettings()
    assert await store.settings.revision() == 0
    assert await store.settings.put(InstallationSettings(default_country="FR")) == 1
    assert (await store.settings.get()).default_country == "FR"


async def test_named_secrets_are_sealed(store: Store) -> None:
    await store.secrets.put("CRM", "one")
    await store.secrets.put("CRM", "two")
    assert await store.secrets.get("CRM") == "two"
    assert await store.secrets.names() == ["CRM"]
    async with store._database.read() as opened:
        assert "two" not in repr((await opened.execute(sa.select(secrets))).all())
    await store.secrets.delete("CRM")
    for attempt in (store.secrets.get("CRM"), store.secrets.delete("CRM")):
        with pytest.raises(NotFound):
            await attempt

"""Drafts, publishing, versions, and the failover tab's exception."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from parlons.agents.common import SpokenText
from parlons.agents.models import Agent, Failover
from parlons.errors import Conflict, InvalidDocument, NotFound, SecretUnreadable
from parlons.store import SecretKey, Store
from parlons.store.sealing import KEPT
from parlons.store.tables import agent_versions, agents


def agent(**changes: Any) -> Agent:
    return Agent.model_validate({"name": "Accueil", "prompt": "Bonjour", **changes})


async def published(store: Store, agent_id: str, **changes: Any) -> int:
    await store.agents.save_draft(agent_id, agent(**changes))
    return await store.agents.publish(agent_id)


async def test_a_draft_comes_back_as_it_was(store: Store) -> None:
    made = agent(
        phone_numbers=["+33123456789"],
        pronunciations={"kg": "kilogrammes", "cm": {"fr-FR": "centimètres"}},
        path={
            "start": "a",
            "steps": [
                {
                    "id": "a",
                    "type": "branch",
                    "branches": [{"variable": "x", "operator": "is_set", "to": "b"}],
                    "else": "b",
                },
                {"id": "b", "type": "end"},
            ],
        },
        failover={"forced_until": "2026-12-24T18:00:00+01:00"},
    )
    revision = await store.agents.save_draft("accueil", made)
    assert await store.agents.get_draft("accueil") == (made, revision)


async def test_the_live_version_stays_until_the_next_publish(store: Store) -> None:
    assert await store.agents.live("accueil") is None
    assert await published(store, "accueil", prompt="one") == 1
    await store.agents.save_draft("accueil", agent(prompt="two"))
    live = await store.agents.live("accueil")
    assert live is not None
    assert (live[0].prompt, live[1]) == ("one", 1)
    assert (await store.agents.list())[0].unpublished
    assert await store.agents.publish("accueil") == 2
    assert (await store.agents.live_all())["accueil"][0].prompt == "two"
    assert not (await store.agents.list())[0].unpublished


async def test_publishing_an_unchanged_draft_makes_no_version(store: Store) -> None:
    tts = {"type": "openai", "api_key": "sk-1"}
    assert await published(store, "a", providers={"tts": tts}) == 1
    assert await published(store, "a", providers={"tts": tts}) == 1
    assert await published(store, "a", providers={"tts": tts | {"api_key": "sk-2"}}) == 2


async def test_a_stale_draft_is_refused(store: Store) -> None:
    first = await store.agents.save_draft("a", agent(), expected_revision=0)
    second = await store.agents.save_draft("a", agent(prompt="two"), expected_revision=first)
    with pytest.raises(Conflict, match="changed by somebody else"):
        await store.agents.save_draft("a", agent(prompt="three"), expected_revision=first)
    with pytest.raises(Conflict):
        await store.agents.save_draft("a", agent(prompt="new"), expected_revision=0)
    assert (await store.agents.get_draft("a"))[1] == second


async def test_of_two_savers_at_once_one_is_told(store: Store) -> None:
    revision = await store.agents.save_draft("a", agent())
    saves = (store.agents.save_draft("a", agent(prompt=f"p{i}"), expected_revision=revision) for i in range(5))
    results = await asyncio.gather(*saves, return_exceptions=True)
    assert sum(isinstance(r, Conflict) for r in results) == 4
    assert revision + 1 in results


async def test_a_number_on_two_active_agents_is_refused_and_both_are_named(store: Store) -> None:
    number = "+33123456789"
    await published(store, "accueil", phone_numbers=[number])
    with pytest.raises(Conflict) as caught:
        await published(store, "support", name="Support", phone_numbers=[number])
    assert all(part in str(caught.value) for part in (number, "'Accueil' (accueil)", "'Support' (support)"))
    assert await store.agents.live("support") is None
    await published(store, "support", name="Support", phone_numbers=[number], active=False)
    with pytest.raises(Conflict):
        await published(store, "support", name="Support", phone_numbers=[number])
    await published(store, "accueil")
    await published(store, "support", name="Support", phone_numbers=[number])


async def test_of_two_publishers_of_one_number_at_once_one_wins(store: Store) -> None:
    for name in ("a", "b"):
        await store.agents.save_draft(name, agent(phone_numbers=["+33123456789"]))
    results = await asyncio.gather(store.agents.publish("a"), store.agents.publish("b"), return_exceptions=True)
    assert [type(r) for r in results if not isinstance(r, int)] == [Conflict]


async def test_numbers_can_be_swapped_when_both_are_published_at_once(store: Store) -> None:
    one, two = "+33123456789", "+33123456788"
    await published(store, "a", phone_numbers=[one])
    await published(store, "b", phone_numbers=[two])
    await store.agents.save_draft("a", agent(phone_numbers=[two]))
    await store.agents.save_draft("b", agent(phone_numbers=[one]))
    with pytest.raises(Conflict):
        await store.agents.publish("a")
    assert await store.agents.publish_all(["a", "b"]) == {"a": 2, "b": 2}


async def test_versions_are_kept_and_can_be_restored(store: Store) -> None:
    for prompt in ("one", "two", "three"):
        await published(store, "a", prompt=prompt)
    assert [(v.version, v.live) for v in await store.agents.versions("a")] == [(3, True), (2, False), (1, False)]
    assert (await store.agents.get_version("a", 1)).prompt == "one"
    revision = await store.agents.restore("a", 1)
    assert (await store.agents.get_draft("a"))[0].prompt == "one"
    assert (await store.agents.get_draft("a"))[1] == revision
    live = await store.agents.live("a")
    assert live is not None
    assert live[0].prompt == "three"
    assert await store.agents.publish("a") == 4


async def test_what_is_not_there_is_not_found(store: Store) -> None:
    await store.agents.save_draft("a", agent())
    for attempt in (
        store.agents.get_draft("b"),
        store.agents.publish("b"),
        store.agents.versions("b"),
        store.agents.get_version("a", 1),
        store.agents.restore("a", 1),
        store.agents.delete("b"),
        store.agents.save_failover("b", Failover(), None),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_deleting_forgets_versions_and_a_new_agent_of_that_name_is_new(store: Store) -> None:
    await published(store, "a", prompt="old")
    assert await store.agents.live("a")
    await store.agents.delete("a")
    assert await store.agents.live_all() == {}
    await published(store, "a", prompt="new")
    live = await store.agents.live("a")
    assert live is not None
    assert (live[0].prompt, live[1]) == ("new", 1)


FAILOVER = Failover.model_validate(
    {"enabled": True, "action": {"type": "message", "text": "Rappelez plus tard.", "language": "fr-FR"}}
)
LAST = SpokenText(text="Désolé.", language="fr-FR")


async def test_saving_failover_is_live_at_once_and_publishes_nothing_else(store: Store) -> None:
    await published(store, "a", prompt="live", providers={"llm": {"type": "openai", "api_key": "sk-1"}})
    await store.agents.save_draft("a", agent(prompt="not yet"))
    assert await store.agents.save_failover("a", FAILOVER, LAST) == 2
    live = await store.agents.live("a")
    assert live is not None
    assert (live[0].prompt, live[0].failover, live[0].default_error_message) == ("live", FAILOVER, LAST)
    assert live[0].providers.llm[0].api_key == "sk-1"
    draft, _ = await store.agents.get_draft("a")
    assert (draft.prompt, draft.failover, draft.default_error_message) == ("not yet", FAILOVER, LAST)
    assert await store.agents.save_failover("a", FAILOVER, LAST) == 2


async def test_saving_failover_before_the_first_publish_changes_the_draft(store: Store) -> None:
    await store.agents.save_draft("a", agent())
    assert await store.agents.save_failover("a", FAILOVER, None) is None
    assert (await store.agents.get_draft("a"))[0].failover == FAILOVER
    assert await store.agents.live("a") is None


async def test_failover_on_an_outbound_agent_is_refused(store: Store) -> None:
    await published(store, "a", direction="outbound")
    with pytest.raises(InvalidDocument, match="inbound"):
        await store.agents.save_failover("a", FAILOVER, None)
    assert len(await store.agents.versions("a")) == 1


async def test_api_keys_are_sealed_shown_to_calls_alone_and_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    llm = [{"type": "openai", "api_key": "sk-secret"}, {"type": "mistral", "api_key": "${MISTRAL_KEY}"}]
    await published(store, "a", providers={"llm": llm})
    draft, _ = await store.agents.get_draft("a")
    assert [p.api_key for p in draft.providers.llm] == [KEPT, "${MISTRAL_KEY}"]
    async with store._database.read() as connection:
        rows = [*(await connection.execute(sa.select(agents))), *(await connection.execute(sa.select(agent_versions)))]
    assert "sk-secret" not in repr(rows)
    monkeypatch.setenv("MISTRAL_KEY", "from-the-environment")
    live = await store.agents.live("a")
    assert live is not None
    assert [p.api_key for p in live[0].providers.llm] == ["sk-secret", "from-the-environment"]
    await store.agents.save_draft("a", draft.model_copy(update={"prompt": "changed"}))
    await store.agents.publish("a")
    live = await store.agents.live("a")
    assert live is not None
    assert live[0].providers.llm[0].api_key == "sk-secret"


async def test_a_kept_key_never_goes_to_another_server(store: Store) -> None:
    await store.agents.save_draft("a", agent(providers={"llm": {"type": "openai", "api_key": "sk-secret"}}))
    elsewhere = {"type": "openai", "api_key": KEPT, "base_url": "https://elsewhere.example"}
    with pytest.raises(InvalidDocument, match=r"providers\.llm\[0\]\.api_key"):
        await store.agents.save_draft("a", agent(providers={"llm": elsewhere}))


async def test_the_wrong_key_of_the_installation_is_explained(store: Store, url: str) -> None:
    await published(store, "a", providers={"llm": {"type": "openai", "api_key": "sk-secret"}})
    other = await Store.open(url, SecretKey("another key, also long enough"))
    with pytest.raises(SecretUnreadable):
        await other.agents.live("a")
    assert (await other.agents.get_draft("a"))[0].name == "Accueil"
    await other.close()

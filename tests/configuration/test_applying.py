"""Applying a folder: only what changed, all or nothing, never over somebody's work in the console."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from parlons.agents.connections import InstallationSettings
from parlons.agents.models import Agent
from parlons.configuration import apply, export, load, plan
from parlons.errors import Conflict, InvalidDocument
from parlons.store import Store

from .test_files import EXAMPLES, write


async def applied(store: Store, folder: Path, **options: Any) -> dict[str, str]:
    return {change.key: change.action for change in await apply(store, load(folder, {"P": "pw"}), **options)}


async def test_the_first_apply_makes_and_publishes_everything(store: Store) -> None:
    made = await applied(store, EXAMPLES / "accueil")
    assert made == {"agents/accueil": "create", "agents/reception": "create", "settings": "create"}
    assert set(await store.agents.live_all()) == {"accueil", "reception"}
    assert (await store.settings.get()).default_country == "FR"
    assert await applied(store, EXAMPLES / "accueil") == {}


async def test_planning_changes_nothing(store: Store) -> None:
    changes = await plan(store, load(EXAMPLES / "accueil", {}))
    assert "create   agents/accueil" in [str(change) for change in changes]
    assert await store.agents.list() == []


async def test_only_changed_files_are_applied(store: Store, tmp_path: Path) -> None:
    write(tmp_path, agents__a="name: A", agents__b="name: B")
    await applied(store, tmp_path)
    write(tmp_path, agents__b="# a comment alone\nname: B")
    assert await applied(store, tmp_path) == {}
    write(tmp_path, agents__b="name: B2")
    assert await applied(store, tmp_path) == {"agents/b": "update"}
    live = await store.agents.live("b")
    assert live is not None
    assert (live[0].name, live[1]) == ("B2", 2)


async def test_what_was_edited_in_the_console_is_left_and_reported_until_forced(store: Store, tmp_path: Path) -> None:
    write(tmp_path, agents__a="name: A", settings="default_country: FR")
    await applied(store, tmp_path)
    await store.agents.save_draft("a", Agent(name="Console"))
    await store.settings.put(InstallationSettings(default_country="DE"))
    assert await applied(store, tmp_path) == {"agents/a": "kept", "settings": "kept"}
    write(tmp_path, agents__a="name: File")
    assert await applied(store, tmp_path) == {"agents/a": "kept", "settings": "kept"}
    assert (await store.agents.get_draft("a"))[0].name == "Console"
    assert await applied(store, tmp_path, force=True) == {"agents/a": "update", "settings": "update"}
    assert (await store.agents.get_draft("a"))[0].name == "File"
    assert await applied(store, tmp_path) == {}


async def test_what_was_made_in_the_console_is_left_and_the_same_is_adopted(store: Store, tmp_path: Path) -> None:
    await store.agents.save_draft("other", Agent(name="Console"))
    await store.agents.save_draft("same", Agent(name="Same"))
    write(tmp_path, agents__other="name: File", agents__same="name: Same")
    assert await applied(store, tmp_path) == {"agents/other": "kept", "agents/same": "adopted"}
    assert set(await store.agents.live_all()) == {"same"}
    write(tmp_path, agents__same="name: Changed")
    assert (await applied(store, tmp_path))["agents/same"] == "update"


async def test_what_was_deleted_in_the_console_does_not_come_back_by_itself(store: Store, tmp_path: Path) -> None:
    write(tmp_path, agents__a="name: A")
    await applied(store, tmp_path)
    await store.agents.delete("a")
    assert await applied(store, tmp_path) == {"agents/a": "kept"}
    assert await applied(store, tmp_path, force=True) == {"agents/a": "create"}


async def test_nothing_is_deleted_without_prune(store: Store, tmp_path: Path) -> None:
    write(tmp_path, agents__a="name: A", agents__b="name: B", agents__c="name: C")
    await applied(store, tmp_path)
    await store.agents.save_draft("console", Agent(name="Console"))
    await store.agents.save_draft("c", Agent(name="Edited"))
    (tmp_path / "agents" / "b.yaml").unlink()
    (tmp_path / "agents" / "c.yaml").unlink()
    assert await applied(store, tmp_path) == {}
    assert await applied(store, tmp_path, prune=True) == {"agents/b": "delete", "agents/c": "kept"}
    assert [a.id for a in await store.agents.list()] == ["a", "c", "console"]
    assert await applied(store, tmp_path, prune=True, force=True) == {"agents/c": "delete"}


async def test_a_connection_still_in_use_is_not_pruned(store: Store, tmp_path: Path) -> None:
    write(tmp_path, agents__a="name: A\nsip_connection_id: t", sip_connections__t="name: T\nhost: h")
    await applied(store, tmp_path)
    (tmp_path / "sip_connections" / "t.yaml").unlink()
    with pytest.raises(InvalidDocument, match=r"agents/a\.yaml: sip_connection_id"):
        await applied(store, tmp_path, prune=True)
    assert list(await store.connections.list()) == ["t"]


REFERRING = """
name: A
sip_connection_id: c1
actions:
  - {type: transfer, name: t, description: d, sip_connection_id: c2}
  - {type: transfer, name: u, description: d, target_agent_id: other}
  - {type: workflow, name: w, description: d, workflow_id: w1}
  - {type: rag, name: r, description: d, data_source_id: d1}
pre_call: {workflow_id: w2}
failover: {action: {type: workflow, workflow_id: w3}}
path:
  start: s
  steps:
    - {id: s, type: workflow, workflow_id: w4, on_success: e, on_error: e}
    - {id: e, type: end}
"""


async def test_everything_named_must_exist_and_be_of_the_right_kind(store: Store, tmp_path: Path) -> None:
    write(
        tmp_path,
        agents__a=REFERRING,
        sip_connections__t="name: T\nhost: h\ndefault_agent_id: nobody",
        workflows__w3="name: W\ntrigger: pre_call\nsteps: []",
        settings="outbound_connection_id: nothing",
    )
    with pytest.raises(InvalidDocument) as caught:
        await applied(store, tmp_path)
    found = dict(caught.value.problems)
    assert set(found) == {
        f"agents/a.yaml: {path}"
        for path in (
            "sip_connection_id", "actions[0].sip_connection_id", "actions[1].target_agent_id",
            "actions[2].workflow_id", "actions[3].data_source_id", "pre_call.workflow_id",
            "failover.action.workflow_id", "path.steps[0].workflow_id",
        )
    } | {"sip_connections/t.yaml: default_agent_id", "settings.yaml: outbound_connection_id"}  # fmt: skip
    assert "is for pre_call, not for failover" in found["agents/a.yaml: failover.action.workflow_id"]
    assert await store.agents.list() == []


async def test_what_the_console_made_can_be_named(store: Store, tmp_path: Path) -> None:
    other = write(tmp_path / "other", sip_connections__t="name: T\nhost: h")
    await applied(store, other)
    write(tmp_path / "mine", agents__a="name: A\nsip_connection_id: t")
    assert await applied(store, tmp_path / "mine") == {"agents/a": "create"}


async def test_all_or_nothing(store: Store, tmp_path: Path) -> None:
    await store.agents.save_draft("console", Agent(name="Console", phone_numbers=["+33123456789"]))
    await store.agents.publish("console")
    write(
        tmp_path,
        agents__a="name: A",
        agents__b="name: B\nphone_numbers: [+33123456789]",
        sip_connections__t="name: T\nhost: h",
    )
    with pytest.raises(Conflict, match=r"'B' \(b\).*'Console' \(console\)"):
        await applied(store, tmp_path)
    assert [a.id for a in await store.agents.list()] == ["console"]
    assert await store.connections.list() == {}
    assert await store.applied.all() == {}


async def test_a_number_can_move_between_agents_in_one_apply(store: Store, tmp_path: Path) -> None:
    number = "phone_numbers: [+33123456789]"
    write(tmp_path, agents__a=f"name: A\n{number}", agents__b="name: B")
    await applied(store, tmp_path)
    write(tmp_path, agents__a="name: A", agents__b=f"name: B\n{number}")
    assert await applied(store, tmp_path) == {"agents/a": "update", "agents/b": "update"}


async def test_a_secret_is_read_from_the_environment_when_it_is_used(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, sip_connections__t="name: T\nhost: h\nusername: u\npassword: ${P}")
    await applied(store, tmp_path)
    monkeypatch.setenv("P", "changed since")
    assert (await store.connections.credentials("t")).password == "changed since"


async def test_what_is_exported_is_what_was_applied_to_the_byte(store: Store, tmp_path: Path) -> None:
    write(
        tmp_path / "in",
        agents__a=REFERRING.replace("c1", "t").replace("c2", "t").replace("other", "b").replace("w4", "w1"),
        agents__b='{"name": "B", "phone_numbers": ["+33123456789"], "prompt": "one\\ntwo: NO\\n- 12:00", '
        '"pronunciations": {"no": "NO", "12:00": "midi"}}',
        sip_connections__t="name: T\nhost: h\nusername: u\npassword: ${P}\nregister: true\nport: 5061",
        workflows__w1="name: W\ntrigger: live_call\n"
        "steps: [{type: branch, id: b, branches: [{variable: x, operator: is_true}], else: []}]",
        workflows__w2="name: W\ntrigger: pre_call\nkind: webhook\nurl: https://h.example\nsecret: ${P}",
        workflows__w3="name: W\ntrigger: failover\nsteps: []",
        data_sources__d1="name: D\nlanguage: fr-FR",
        settings="default_country: NO",
    )
    await applied(store, tmp_path / "in")
    out = await export(store, tmp_path / "out")
    assert out.variables == []
    first, second = load(tmp_path / "in", {"P": "x"}), load(tmp_path / "out", {"P": "x"})
    assert {k: f.document for k, f in first.files.items()} == {k: f.document for k, f in second.files.items()}
    assert {c.action for c in await apply(store, second)} <= {"adopted"}
    before = {path: path.read_bytes() for path in out.written}
    await export(store, tmp_path / "out")
    assert {path: path.read_bytes() for path in out.written} == before


async def test_a_stored_secret_is_exported_as_a_name_alone(store: Store, tmp_path: Path) -> None:
    document = {"name": "A", "providers": {"llm": {"type": "openai", "api_key": "sk-secret"}}}
    await store.agents.save_draft("a-1", Agent.model_validate(document))
    out = await export(store, tmp_path)
    assert out.variables == ["AGENT_A_1_LLM_OPENAI_API_KEY"]
    text = (tmp_path / "agents" / "a-1.yaml").read_text()
    assert "${AGENT_A_1_LLM_OPENAI_API_KEY}" in text
    assert "sk-secret" not in text


async def test_export_keeps_a_files_ending_and_reports_what_is_stale(store: Store, tmp_path: Path) -> None:
    write(tmp_path, agents__a='{"name": "Old"}', agents__gone="name: Gone")
    await store.agents.save_draft("a", Agent(name="New"))
    out = await export(store, tmp_path)
    assert out.stale == [tmp_path / "agents" / "gone.yaml"]
    assert '"name": "New"' in (tmp_path / "agents" / "a.json").read_text()
    assert not (tmp_path / "agents" / "a.yaml").exists()

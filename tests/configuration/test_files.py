"""Reading a folder: what is accepted, and that every problem is found at once and can be found again in its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from parlons.agents.connections import InstallationSettings, SipConnection
from parlons.agents.models import Agent
from parlons.agents.workflows import Workflow
from parlons.configuration import check_document, check_file, load
from parlons.configuration.reading import Unreadable, parse
from parlons.errors import InvalidDocument, NotFound

EXAMPLES = Path(__file__).parents[2] / "examples"


def write(folder: Path, **files: str) -> Path:
    """Files by path, with ``__`` for ``/``; JSON when the text starts with a brace."""
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + (".json" if text.startswith("{") else ".yaml"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def problems(folder: Path, environment: dict[str, str] | None = None) -> dict[str, str]:
    with pytest.raises(InvalidDocument) as caught:
        load(folder, environment or {})
    return dict(caught.value.problems)


@pytest.mark.parametrize("folder", sorted(p.parent for p in EXAMPLES.glob("*/agents")), ids=lambda p: p.name)
def test_the_examples_load_with_an_empty_environment(folder: Path) -> None:
    loaded = load(folder, {})
    assert any(isinstance(file.document, Agent) for file in loaded.files.values())


def test_the_demo_agents_say_things_by_the_convention_of_the_embedded_model() -> None:
    for agent in load(EXAMPLES / "accueil", {}).files.values():
        if not isinstance(agent.document, Agent):
            continue
        lines = [line for line in agent.document.prompt.splitlines() if line.startswith("- ")]
        assert len(lines) >= 5
        assert all(
            words.strip() and answer.strip() for words, _, answer in (line[2:].partition(" : ") for line in lines)
        )
        assert [a.type for a in agent.document.actions] == ["hang_up"]


def test_every_kind_in_both_formats(tmp_path: Path) -> None:
    write(
        tmp_path,
        agents__a='{"name": "A"}',
        agents__b="name: B",
        sip_connections__trunk="name: T\nhost: sip.example\nusername: u\npassword: ${TRUNK_PASSWORD}\nport: ${PORT}",
        workflows__w="name: W\ntrigger: pre_call\nsteps: []",
        data_sources__d="name: D",
        settings="default_country: NO",
    )
    loaded = load(tmp_path, {"TRUNK_PASSWORD": "s3cret", "PORT": "5070"})
    documents = {key: file.document for key, file in loaded.files.items()}
    assert set(documents) == {
        "agents/a", "agents/b", "sip_connections/trunk", "workflows/w", "data_sources/d", "settings",
    }  # fmt: skip
    trunk = documents["sip_connections/trunk"]
    assert isinstance(trunk, SipConnection)
    assert (trunk.password, trunk.port) == ("${TRUNK_PASSWORD}", 5070)
    assert documents["settings"] == InstallationSettings(default_country="NO")


def test_every_problem_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        agents__a="name: A\nactions:\n  - {type: hang_up, name: Bye, description: d}\n"
        "  - {type: transfer, name: T, description: d, max_ring_seconds: 50, destinations: [{phone: '+1'}]}\n",
        agents__b="name: B\ngreting: Bonjour\ntimezone: Europe/Pariss\nactions: [{type: nope, name: x}]",
        sip_connections__s="host: h\ntransport: tls",
    )
    found = problems(tmp_path)
    assert set(found) == {
        "agents/a.yaml: actions[1].max_ring_seconds",
        "agents/a.yaml: actions[1].destinations[0].phone",
        "agents/b.yaml: greting",
        "agents/b.yaml: timezone",
        "agents/b.yaml: actions[0].type",
        "sip_connections/s.yaml: name",
        "sip_connections/s.yaml: transport",
    }
    assert "unknown key" in found["agents/b.yaml: greting"]
    assert "SIP edge" in found["sip_connections/s.yaml: transport"]
    assert found["sip_connections/s.yaml: name"] == "is required"


@pytest.mark.parametrize(
    ("name", "text", "path"),
    [
        ("sip_connections__t", "name: T\nhost: h\nusername: u\npassword: s3cret", "password"),
        ("agents__a", "name: A\nproviders: {llm: {type: openai, api_key: s3cret}}", "providers.llm[0].api_key"),
        ("agents__a", "name: A\nproviders: {tts: [{type: x, api_key: s3cret}]}", "providers.tts[0].api_key"),
        ("workflows__w", "name: W\ntrigger: pre_call\nkind: webhook\nurl: https://h.example\nsecret: s3cret", "secret"),
        ("sip_connections__t", "name: T\nhost: h\nusername: u\npassword: '********'", "password"),
    ],
)
def test_a_secret_written_out_is_refused_with_the_fix_and_not_repeated(
    tmp_path: Path, name: str, text: str, path: str
) -> None:
    found = problems(write(tmp_path, **{name: text}))
    assert list(found) == [f"{name.replace('__', '/')}.yaml: {path}"]
    assert "${NAME}" in str(found)
    assert "s3cret" not in str(found)


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    write(tmp_path, sip_connections__t="name: T\nhost: ${HOST}\nusername: u\npassword: ${PASSWORD}")
    found = problems(tmp_path)
    assert "HOST is not set" in found["sip_connections/t.yaml: host"]
    assert "PASSWORD is not set" in found["sip_connections/t.yaml: password"]


@pytest.mark.parametrize(
    ("name", "text", "about"),
    [
        ("agents__a", "name: [", "line 1"),
        ("agents__a", '{"name": }', "line 1, column 10"),
        ("agents__a", "- a", "not an object"),
        ("agents__a", "", "not an object"),
        ("agents__a", "name: A\nname: B", "appears twice"),
        ("agents__a", '{"name": "A", "name": "B"}', "appears twice"),
        ("agents__a", "a: &x 1\nname: *x", "aliases"),
        ("agents__-a", "name: A", "id"),
        ("agent__a", "name: A", "not one of the folders"),
        ("setting", "default_country: FR", "only settings"),
    ],
)
def test_files_that_cannot_be_read_are_problems_too(tmp_path: Path, name: str, text: str, about: str) -> None:
    assert about in str(problems(write(tmp_path, **{name: text})))


def test_bytes_that_are_not_text_are_a_problem(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "a.yaml").write_bytes(b"name: \xff")
    assert "UTF-8" in str(problems(tmp_path))


def test_one_document_in_two_files_is_refused(tmp_path: Path) -> None:
    write(tmp_path, agents__a="name: A")
    write(tmp_path, agents__a='{"name": "A"}')
    assert "same document" in str(problems(tmp_path))


def test_a_number_on_two_active_agents_is_refused(tmp_path: Path) -> None:
    write(
        tmp_path,
        agents__a="name: A\nphone_numbers: [+33123456789]",
        agents__b="name: B\nphone_numbers: ['+33 1 23 45 67 89']",
        agents__c="name: C\nactive: false\nphone_numbers: [+33123456789]",
    )
    found = problems(tmp_path)
    assert found == {"agents/b.yaml: phone_numbers[0]": "+33123456789 is also on the active agent a"}


def test_comments_and_order_do_not_change_a_file_but_the_environment_does(tmp_path: Path) -> None:
    def digest(text: str, **environment: str) -> str:
        return load(write(tmp_path, agents__a=text), environment).files["agents/a"].hash

    first = digest("name: ${NAME}\nactive: true", NAME="A")
    assert digest("# hello\nactive: true\nname: ${NAME}", NAME="A") == first
    assert digest("name: ${NAME}\nactive: true", NAME="B") != first


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no folder"):
        load(tmp_path / "nope")


def test_check_document_knows_the_kind_by_the_folder(tmp_path: Path) -> None:
    write(tmp_path, agents__a="name: A", workflows__w="name: W\ntrigger: pre_call\nsteps: []", loose="name: L")
    write(tmp_path, settings="default_country: FR")
    assert isinstance(check_document(tmp_path / "agents/a.yaml"), Agent)
    assert isinstance(check_document(tmp_path / "workflows/w.yaml"), Workflow)
    assert isinstance(check_document(tmp_path / "loose.yaml"), Agent)
    assert isinstance(check_document(tmp_path / "settings.yaml"), InstallationSettings)
    for check in (check_file, check_document):
        with pytest.raises(NotFound):
            check(tmp_path / "nope.yaml")


def test_check_file_is_for_agents(tmp_path: Path) -> None:
    write(tmp_path, agents__settings="name: A", workflows__w="name: W\ntrigger: pre_call\nsteps: []")
    assert check_file(tmp_path / "agents/settings.yaml").name == "A"
    with pytest.raises(InvalidDocument, match="trigger: unknown key"):
        check_file(tmp_path / "workflows/w.yaml")


def test_check_file_gives_the_path_of_the_bad_value(tmp_path: Path) -> None:
    write(tmp_path, a="name: A\nactions: [{type: wait, name: W, max_wait_seconds: 4}]\ngreeting: '{{ x'")
    with pytest.raises(InvalidDocument) as caught:
        check_file(tmp_path / "a.yaml")
    assert "actions[0].max_wait_seconds: " in str(caught.value)
    assert "greeting: line 1: {{ is never closed" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12:00", "12:00"), ("09:00", "09:00"), ("NO", "NO"), ("yes", "yes"), ("on", "on"),
        ("2026-12-25", "2026-12-25"),
        ("+33612345678", "+33612345678"), ("0612345678", "0612345678"), ("1_000", "1_000"), ("0x10", "0x10"),
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None), ("12", 12), ("-3", -3), ("1.5", 1.5),
    ],
)  # fmt: skip
def test_yaml_without_its_traps(text: str, value: object) -> None:
    assert parse(f"key: {text}", is_json=False) == {"key": value}


@pytest.mark.parametrize("text", ["1: a", "? [a]\n: b", "a: !!python/object:os.system x", "[" * 100_000])
def test_yaml_that_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        parse(text, is_json=False)

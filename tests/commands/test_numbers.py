"""``parlons numbers``: what is printed, what is stored, and the exit status."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from typer.testing import CliRunner, Result

from parlons import cli
from parlons.agents.actions import TransferAction
from parlons.agents.models import Agent
from parlons.errors import ConfigurationError, Conflict, InvalidDocument, NotFound
from parlons.installation import open_store
from parlons.settings import Settings, load
from parlons.store import Store

ONE, TWO, THREE = "+33612345678", "+33123456789", "+442079460958"
GOOD_AND_BAD = f"phone;description\n{ONE};Autre nom\n01 23 45 67 89;Support\n3,36E+10;Ventes\n{THREE};Londres\n"

Answer = TypeVar("Answer")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """A command, in a folder of its own. Errors of ours are raised, as ``main`` gets them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PARLONS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PARLONS_SECRET_KEY", "a key for tests only, long enough")

    def invoke(*words: str, typed: str | None = None) -> Result:
        result = CliRunner().invoke(cli.app, ["numbers", *words], input=typed)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def settings() -> Settings:
    return load()[0]


def stored(ask: Callable[[Store], Awaitable[Answer]]) -> Answer:
    """Ask the database."""

    async def work() -> Answer:
        store = await open_store(settings())
        try:
            return await ask(store)
        finally:
            await store.close()

    return asyncio.run(work())


def make_agent(**transfer: Any) -> None:
    where = transfer or {"destinations": [{"phone": ONE, "description": "Accueil"}]}
    agent = Agent.model_validate(
        {
            "name": "Accueil",
            "actions": [
                {"type": "wait", "name": "Attendre"},
                {"type": "transfer", "name": "Transfert support", "description": "To a person", **where},
            ],
            "providers": {"llm": {"type": "openai", "api_key": "sk-secret"}},
        }
    )

    async def save(store: Store) -> None:
        await store.agents.save_draft("accueil", agent)
        await store.agents.publish("accueil")

    stored(save)


def draft() -> TransferAction:
    agent, _ = stored(lambda store: store.agents.get_draft("accueil"))
    action = agent.actions[1]
    assert isinstance(action, TransferAction)
    return action


def into(file: Path, *more: str) -> tuple[str, ...]:
    return ("import", str(file), "--agent", "accueil", "--action", "Transfert support", *more)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "numbers.csv"
    path.write_bytes(GOOD_AND_BAD.encode("cp1252"))
    return path


# -- what cannot be done -------------------------------------------------------------------------------------------


def test_a_file_that_is_not_there(run: Callable[..., Result]) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.csv cannot be read: No such file"):
        run("import", "none.csv", "--dry-run")


def test_a_folder_is_not_a_file(run: Callable[..., Result], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        run("import", str(tmp_path), "--dry-run")


def test_an_unreadable_file_stops_main_with_1(
    run: Callable[..., Result], file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(b"PK\x03\x04")
    monkeypatch.setattr("sys.argv", ["parlons", "numbers", "import", str(file), "--dry-run"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 1
    assert "a workbook" in capsys.readouterr().err


def test_a_file_that_is_too_large(run: Callable[..., Result], file: Path) -> None:
    with file.open("wb") as opened:
        opened.truncate(6_000_000)
    with pytest.raises(ConfigurationError, match="at most 5,242,880"):
        run("import", str(file), "--dry-run")


@pytest.mark.parametrize("words", [(), ("--agent", "accueil"), ("--action", "x"), ("--dry-run", "--agent", "accueil")])
def test_where_to_is_needed(run: Callable[..., Result], file: Path, words: tuple[str, ...]) -> None:
    result = run("import", str(file), *words)
    assert result.exit_code == 2
    assert "--agent and --action" in result.output


def test_unknown_agent_action_and_country(run: Callable[..., Result], file: Path) -> None:
    with pytest.raises(NotFound, match="no agent 'accueil'"):
        run(*into(file, "--yes"))
    make_agent()
    with pytest.raises(NotFound, match=r"no transfer action named 'Attendre'\. It has 'Transfert support'"):
        run("import", str(file), "--agent", "accueil", "--action", "Attendre", "--yes")
    with pytest.raises(ConfigurationError, match="country: 'XX'"):
        run(*into(file, "--country", "XX"))


def test_an_action_that_rings_no_number(run: Callable[..., Result], file: Path) -> None:
    make_agent(target_agent_id="other")
    with pytest.raises(InvalidDocument, match="target_agent_id hands the call to another agent"):
        run(*into(file, "--yes"))
    assert draft().destinations == []


def test_a_draft_saved_meanwhile_is_not_overwritten(
    run: Callable[..., Result], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_agent()

    def confirm(*_words: object, **_options: object) -> bool:
        return True

    async def save_elsewhere(store: Store) -> None:
        agent, _ = await store.agents.get_draft("accueil")
        await store.agents.save_draft("accueil", agent.model_copy(update={"prompt": "changed meanwhile"}))

    real = Store.open
    opened: list[Store] = []

    async def open_and_remember(*arguments: Any) -> Store:
        opened.append(await real(*arguments))
        original = opened[-1].agents.save_draft

        async def save(agent_id: str, agent: Agent, expected_revision: int | None = None) -> int:
            monkeypatch.setattr(opened[-1].agents, "save_draft", original)
            await save_elsewhere(opened[-1])
            return await original(agent_id, agent, expected_revision)

        monkeypatch.setattr(opened[-1].agents, "save_draft", save)
        return opened[-1]

    monkeypatch.setattr(Store, "open", open_and_remember)
    monkeypatch.setattr("typer.confirm", confirm)
    with pytest.raises(Conflict, match="somebody else meanwhile"):
        run(*into(file))
    monkeypatch.setattr(Store, "open", real)
    assert [d.phone for d in draft().destinations] == [ONE]


# -- dry run -------------------------------------------------------------------------------------------------------


def test_a_dry_run_answers_every_row_and_opens_no_store(run: Callable[..., Result], file: Path, tmp_path: Path) -> None:
    result = run("import", str(file), "--dry-run")
    assert result.exit_code == 0
    lines = [line.split(None, 3) for line in result.stdout.splitlines() if line.startswith("line")]
    assert [(number, outcome) for _, number, outcome, _ in lines] == [
        ("2", "accepted"),
        ("3", "refused"),
        ("4", "refused"),
        ("5", "accepted"),
    ]
    assert "name the country" in result.stdout
    assert "2 accepted, 0 duplicate, 2 refused (UTF-8, semicolon)" in result.stdout
    assert not (tmp_path / "data").exists()


def test_a_dry_run_for_an_action_knows_its_numbers_and_stores_nothing(run: Callable[..., Result], file: Path) -> None:
    make_agent()
    result = run(*into(file, "--dry-run", "--country", "FR"))
    assert "2 accepted, 1 duplicate, 1 refused" in result.stdout
    assert "Nothing is stored" in result.stdout
    assert [d.phone for d in draft().destinations] == [ONE]


def test_a_dry_run_as_json(run: Callable[..., Result], file: Path) -> None:
    answer = json.loads(run("import", str(file), "--dry-run", "--json", "--country", "FR").stdout)
    assert (answer["accepted"], answer["duplicate"], answer["refused"]) == (3, 0, 1)
    assert answer["rows"][1] == {
        "line": 3,
        "value": "01 23 45 67 89",
        "outcome": "accepted",
        "phone": TWO,
        "description": "Support",
        "reason": f"read as {TWO}",
    }


def test_a_file_cannot_move_the_cursor(run: Callable[..., Result], file: Path) -> None:
    file.write_text(f"phone,description,\x1b[2J\n\x1b[31m1,x\n{ONE},\x1b[8mhidden\u202e\n")
    result = run("import", str(file), "--dry-run")
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
    assert "hidden" in result.stdout


# -- adding --------------------------------------------------------------------------------------------------------


def test_good_rows_are_added_to_the_draft_alone(run: Callable[..., Result], file: Path) -> None:
    make_agent()
    result = run(*into(file, "--country", "FR"), typed="y\n")
    assert result.exit_code == 0
    assert "line     4  refused" in result.stdout
    assert "line     3" not in result.stdout
    assert "once the agent is published" in result.stdout
    assert [(d.phone, d.description) for d in draft().destinations] == [
        (ONE, "Accueil"),
        (TWO, "Support"),
        (THREE, "Londres"),
    ]
    live = stored(lambda store: store.agents.live("accueil"))
    assert live is not None
    transfer = live[0].actions[1]
    assert isinstance(transfer, TransferAction)
    assert [d.phone for d in transfer.destinations] == [ONE]


def test_the_rest_of_the_draft_stays_its_secrets_too(run: Callable[..., Result], file: Path) -> None:
    make_agent()
    before, _ = stored(lambda store: store.agents.get_draft("accueil"))
    run(*into(file, "--yes"))
    after, _ = stored(lambda store: store.agents.get_draft("accueil"))
    assert after.model_copy(update={"actions": before.actions}) == before
    stored(lambda store: store.agents.publish("accueil"))
    live = stored(lambda store: store.agents.live("accueil"))
    assert live is not None
    assert live[0].providers.llm[0].api_key == "sk-secret"


def test_a_no_stores_nothing(run: Callable[..., Result], file: Path) -> None:
    make_agent()
    for typed in ("n\n", "\n"):
        assert run(*into(file), typed=typed).exit_code == 1
    assert [d.phone for d in draft().destinations] == [ONE]


def test_adding_twice_adds_once(run: Callable[..., Result], file: Path) -> None:
    make_agent()
    assert run(*into(file, "--yes")).exit_code == 0
    result = run(*into(file, "--yes"))
    assert result.exit_code == 0
    assert "Nothing to add." in result.stdout
    assert len(draft().destinations) == 2


def test_json_stays_json_when_adding(run: Callable[..., Result], file: Path) -> None:
    make_agent()
    asked = run(*into(file, "--json"), typed="n\n")
    assert "Add 1 to 'Transfert support'" in asked.stderr
    result = run(*into(file, "--json", "--yes"))
    assert json.loads(result.stdout)["accepted"] == 1
    assert "1 added" in result.stderr
    assert len(draft().destinations) == 2


def test_an_action_with_a_connection_keeps_it(run: Callable[..., Result], file: Path) -> None:
    make_agent(sip_connection_id="pbx", destinations=[{"extension": "204"}])
    run(*into(file, "--yes"))
    action = draft()
    assert action.sip_connection_id == "pbx"
    assert [d.extension or d.phone for d in action.destinations] == ["204", ONE, THREE]


# -- template and countries ----------------------------------------------------------------------------------------


def test_the_template_can_be_imported(run: Callable[..., Result], tmp_path: Path) -> None:
    run("template", "t.csv", "--semicolon")
    assert "2 accepted, 0 duplicate, 0 refused (UTF-8, semicolon)" in run("import", "t.csv", "--dry-run").stdout
    assert (tmp_path / "t.csv").read_bytes().startswith(b"\xef\xbb\xbfphone;description\r\n")
    assert run("template").stdout_bytes.startswith(b"\xef\xbb\xbfphone,description\r\n")


def test_the_template_overwrites_nothing(run: Callable[..., Result], file: Path) -> None:
    with pytest.raises(ConfigurationError, match="is there already"):
        run("template", str(file))
    assert file.read_bytes() == GOOD_AND_BAD.encode()
    with pytest.raises(ConfigurationError, match="cannot be written: No such file or directory"):
        run("template", "nowhere/t.csv")


def test_countries_in_a_language(run: Callable[..., Result]) -> None:
    assert "🇩🇪  DE  +49   Allemagne\n" in run("countries", "--language", "fr").stdout
    listed = json.loads(run("countries", "--json").stdout)
    assert {"code": "DE", "name": "Germany", "flag": "🇩🇪", "prefix": "+49"} in listed
    with pytest.raises(ConfigurationError, match="--language: 'xx-what' is not a known language"):
        run("countries", "--language", "xx-what")

"""``parlons workflow try``: what is printed, and the exit status."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from parlons import cli
from parlons.errors import ConfigurationError, InvalidDocument, NotFound

from .site import Site, answer, site

Write = Callable[[str, Any], Path]


@pytest.fixture
def web() -> Iterator[Site]:
    """A site in a thread of its own: the command runs its own loop."""
    ready = threading.Event()
    made: list[tuple[Site, asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        stop = asyncio.Event()
        async with site() as web:
            made.append((web, asyncio.get_running_loop(), stop))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    served, loop, stop = made[0]
    yield served
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to(name: str, data: Any) -> Path:
        path = tmp_path / name
        path.write_text(data if isinstance(data, str) else json.dumps(data), "utf-8")
        return path

    return to


def attempt(*words: object) -> Result:
    result = CliRunner().invoke(cli.app, ["workflow", "try", *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def document(*steps: dict[str, Any], trigger: str = "live_call", **more: Any) -> dict[str, Any]:
    return {"name": "w", "trigger": trigger, "steps": list(steps), **more}


def test_files_that_are_missing_or_wrong(write: Write, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        attempt(tmp_path / "none.yaml")
    with pytest.raises(InvalidDocument, match=r"steps\[0\]\.url"):
        attempt(write("a.json", document({"id": "a", "type": "http"})))
    with pytest.raises(InvalidDocument):
        attempt(write("b.json", "{"))
    good = write("c.json", document())
    with pytest.raises(InvalidDocument, match="inputs"):
        attempt(good, "--sample", write("sample.json", {"inputs": {}}))
    with pytest.raises(ConfigurationError, match="reserved"):
        attempt(good, "--sample", write("sample.json", {"context": {"system": {}}}))


def test_a_failure_is_shown_and_is_the_exit_status(write: Write, web: Site) -> None:
    file = write("w.json", document({"id": "find", "type": "http", "url": web.url("/")}))
    result = attempt(file)
    assert result.exit_code == 1
    assert "address_refused" in result.output
    assert "find (http)" in result.output
    assert web.opened == 0


def test_a_result_the_call_cannot_use_fails_too(write: Write) -> None:
    file = write("w.json", document({"id": "r", "type": "return", "value": [1]}, trigger="pre_call"))
    result = attempt(file)
    assert result.exit_code == 1
    assert "cannot be used" in result.output


def test_the_steps_and_the_result_are_shown_without_secrets(
    write: Write, web: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_KEY", "s3cret-of-the-environment")
    web.pages["/orders"] = answer({"state": "late\x1b[2J", "echo": "s3cret-of-the-environment"})
    file = write(
        "w.yaml",
        f"""
name: Find an order
trigger: live_call
input: [{{name: order, type: integer, required: true}}]
steps:
  - id: find
    type: http
    url: {web.url("/orders")}
    headers: {{X-Key: "{{{{ secrets.CRM_KEY }}}}"}}
    query: {{order: "{{{{ input.order }}}}", who: "{{{{ first_name }}}}", number: "{{{{ system.phone }}}}"}}
  - {{id: end, type: return, value: {{state: "{{{{ steps.find.body.state }}}}"}}}}
""",
    )
    sample = write("sample.json", {"input": {"order": 7}, "context": {"first_name": "Ada"}})
    result = attempt(file, "--sample", sample, "--allow-private")
    assert result.exit_code == 0, result.output
    assert web.asked[0].headers["x-key"] == "s3cret-of-the-environment"
    assert web.asked[0].target.startswith("/orders?order=7&who=Ada&number=06")
    for shown in ("find (http)", "end (return)", "> GET", "200", 'result: {"state"', "ok in"):
        assert shown in result.output
    assert "s3cret" not in result.output
    assert "\x1b" not in result.output
    result = attempt(file, "--sample", sample, "--allow-private", "--json")
    made = json.loads(result.output)
    assert [step["id"] for step in made["steps"]] == ["find", "end"]
    assert "s3cret" not in result.output


def test_the_secret_of_a_webhook_comes_from_the_environment(
    write: Write, web: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.pages["/"] = answer({"context": {"vip": True}})
    data = {"name": "w", "trigger": "pre_call", "kind": "webhook", "url": web.url("/"), "secret": "${HOOK_SECRET}"}
    file = write("w.json", data)
    monkeypatch.delenv("HOOK_SECRET", raising=False)
    with pytest.raises(InvalidDocument, match="HOOK_SECRET"):
        attempt(file, "--allow-private")
    monkeypatch.setenv("HOOK_SECRET", "k")
    assert attempt(file, "--allow-private").exit_code == 0
    assert "x-parlons-signature" in web.asked[0].headers

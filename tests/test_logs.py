"""Logs are JSON, and hold nobody's words unless asked."""

from __future__ import annotations

import json
import logging

import pytest

from parlons import logs


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.parametrize("words", [False, True])
def test_words_only_when_asked(capsys: pytest.CaptureFixture[str], words: bool) -> None:
    logs.configure("info", words=words)
    logs.get("t").info("turn", text="my secret", call_id="c1")
    [line] = lines(capsys)
    assert line["call_id"] == "c1"
    assert line["text"] == ("my secret" if words else "(withheld)")


def test_a_librarys_words_and_traceback_stay_out(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    library = logging.getLogger("some.library")
    library.info("user said my secret")
    try:
        raise ValueError("my secret")
    except ValueError:
        library.exception("failed", extra={"lk.pii.text": "my secret"})
    [line] = lines(capsys)
    assert "secret" not in json.dumps(line)
    assert line["exception"] == "ValueError"

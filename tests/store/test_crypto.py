"""The installation's key."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from parlons.errors import ConfigurationError, SecretUnreadable
from parlons.store import SecretKey


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first = SecretKey.load(tmp_path / "data")
    path = tmp_path / "data" / "secret.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SecretKey.load(tmp_path / "data").open(first.seal("é")) == "é"
    assert [p.name for p in path.parent.iterdir()] == ["secret.key"]


def test_a_given_key_wins_and_makes_no_file(tmp_path: Path) -> None:
    key = SecretKey.load(tmp_path, "a given key, long enough")
    assert not list(tmp_path.iterdir())
    assert SecretKey("a given key, long enough").open(key.seal("x")) == "x"


def test_the_wrong_key_is_noticed_and_says_where_it_came_from(tmp_path: Path) -> None:
    sealed = SecretKey("the first key, long enough").seal("s3cret")
    with pytest.raises(SecretUnreadable, match=r"secret\.key") as caught:
        SecretKey.load(tmp_path).open(sealed)
    assert caught.value.hint
    assert "s3cret" not in str(caught.value)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="16"):
        SecretKey("short")


def test_a_directory_that_cannot_hold_it_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be read or made"):
        SecretKey.load(tmp_path / "file" / "data")


def test_a_key_is_never_printed() -> None:
    assert "long enough" not in repr(SecretKey("a given key, long enough"))

"""What ``pip install`` brings: the console, the migrations and the data files, and nothing of the tests."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Of the files in the wheel."""
    assert (ROOT / "src/parlons/console/index.html").is_file(), "the console is not built: make console"
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    made = subprocess.run([*build, str(ROOT)], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    (wheel,) = folder.glob("parlons-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_console_is_in_it(names: set[str]) -> None:
    assert "parlons/console/index.html" in names
    assert any(name.startswith("parlons/console/assets/") and name.endswith(".js") for name in names)


def test_every_file_of_the_package_is_in_it(names: set[str]) -> None:
    package = ROOT / "src/parlons"
    files = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert {f"parlons/{path.relative_to(package).as_posix()}" for path in files} <= names


def test_nothing_else_is(names: set[str]) -> None:
    assert {name.split("/")[0].split("-")[0] for name in names} == {"parlons"}

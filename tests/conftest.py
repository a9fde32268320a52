"""What every test leaves as it found it."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """A command run within the test's process sends logs to that test's standard error, which is closed afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    if structlog.is_configured():
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(level)


_begun: set[str] = set()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Telephones live in this process: a collection that walks all that earlier tests imported would stop them for
    tenths of a second. Before a module that has some, what is there now is set apart.
    """
    module = item.nodeid.partition("::")[0]
    if item.get_closest_marker("peer") is not None and module not in _begun:
        _begun.add(module)
        gc.collect()
        gc.freeze()

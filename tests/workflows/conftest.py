from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from parlons.workflows.http_client import HttpClient

from .site import Site, site


@pytest.fixture
async def web() -> AsyncIterator[Site]:
    async with site() as made:
        yield made


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    """A client that may reach loopback."""
    client = HttpClient(allow_private=lambda: True)
    yield client
    await client.aclose()

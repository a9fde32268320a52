"""Servers and phones for the tests with real peers. One server serves every test that leaves it as it was."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.sip import agents
from tests.support import sipp
from tests.support.phone import Phone
from tests.support.server import EXAMPLES, ParlonsServer


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ParlonsServer]:
    """The demo agents, as a fresh clone runs them."""
    folder = tmp_path_factory.mktemp("demo")
    with ParlonsServer(folder, EXAMPLES / "accueil", rtp_ports=range(34000, 34100)) as server:
        yield server
        server.assert_no_bug()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ParlonsServer]:
    """Agents whose words the tests know."""
    folder = tmp_path_factory.mktemp("lab")
    with ParlonsServer(folder, agents.LAB, rtp_ports=range(34100, 34600)) as server:
        yield server
        server.assert_no_bug()


@pytest.fixture
async def phone() -> AsyncIterator[Phone]:
    """A telephone without account."""
    async with Phone() as one:
        yield one


@dataclasses.dataclass(frozen=True, slots=True)
class Burst:
    """600 calls at 50 a second, done."""

    server: ParlonsServer
    result: sipp.SippResult
    memory_before: int
    """Resident bytes after 50 calls of warming up."""


@pytest.fixture(scope="session")
def burst_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ParlonsServer]:
    """A server with room for the burst."""
    folder = tmp_path_factory.mktemp("burst")
    room = {"PARLONS_MAX_CALLS": "300", "PARLONS_LOG_LEVEL": "warning"}
    with ParlonsServer(folder, agents.LAB, rtp_ports=range(34600, 36100), environment=room) as server:
        yield server


@pytest.fixture(scope="session")
def burst(burst_server: ParlonsServer, tmp_path_factory: pytest.TempPathFactory) -> Burst:
    """Run the burst once; what came of it."""
    folder = tmp_path_factory.mktemp("sipp")

    async def both() -> tuple[int, sipp.SippResult]:
        # a first burst warms everything up. No more calls than this: ports rest for a minute after a call
        await _calls(burst_server, folder, calls=100)
        await asyncio.sleep(15)
        before = burst_server.memory()
        return before, await _calls(burst_server, folder, calls=600)

    before, result = asyncio.run(both())
    return Burst(burst_server, result, before)


async def _calls(server: ParlonsServer, folder: Path, *, calls: int) -> sipp.SippResult:
    values = {"PAUSE": "500"}
    return await sipp.run("short_call", server.sip, folder, user="lab", calls=calls, rate=50, seconds=60, values=values)

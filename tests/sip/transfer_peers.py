"""Those who are rung in the tests of transfers: a telephone with many extensions, and SIPp at addresses of its own."""

from __future__ import annotations

import asyncio
import contextlib
import csv
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from tests.support.phone import Phone
from tests.support.phone_call import Call
from tests.support.sip_text import Message
from tests.support.sipp import SCENARIOS

CALLER, EXCHANGE, BARESIP = ("127.0.0.2", 5060), ("127.0.1.1", 5060), ("127.0.0.1", 15481)

SIPP = {
    "sipp_486": ("127.0.1.11", "refuse", {"CODE": "486"}),
    "sipp_603": ("127.0.1.12", "refuse", {"CODE": "603"}),
    "sipp_404": ("127.0.1.13", "refuse", {"CODE": "404"}),
    "sipp_480": ("127.0.1.14", "refuse", {"CODE": "480"}),
    "sipp_503": ("127.0.1.15", "refuse", {"CODE": "503"}),
    "sipp_302": ("127.0.1.16", "refuse", {"CODE": "302"}),
    "sipp_stall": ("127.0.1.17", "stall", {}),
    "sipp_answer": ("127.0.1.18", "answer_at_once", {}),
}
"""SIPp as a destination: connection id to its address, scenario and values."""


class Exchange:
    """One telephone that is rung as many extensions: each case takes the calls for its own."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self._calls: defaultdict[str, asyncio.Queue[Call]] = defaultdict(asyncio.Queue)

    async def sort(self) -> None:
        """Hand out calls for ever."""
        while True:
            call = await self.phone.incoming.get()
            self._calls[_user(call.invitation)].put_nowait(call)

    async def rung(self, user: str, within: float = 4.0) -> Call:
        """The next call for a user. Raises TimeoutError."""
        return await asyncio.wait_for(self._calls[user].get(), within)

    def invites(self, user: str) -> list[float]:
        """When an INVITE for a user came, repetitions included."""
        came = [e for e in self.phone.log if e.incoming and e.message.method == "INVITE"]
        return [e.at for e in came if _user(e.message) == user]


def _user(invite: Message) -> str:
    return invite.uri.removeprefix("sip:").partition("@")[0]


@contextlib.asynccontextmanager
async def sipp_destinations(folder: Path) -> AsyncIterator[Callable[[str], Path]]:
    """SIPp at every address of ``SIPP``; gives where the statistics of each are once the block has ended."""
    running = []
    try:
        for key, (host, scenario, values) in SIPP.items():
            text = (SCENARIOS / f"{scenario}.xml").read_text("utf-8")
            for name, value in {"ELSEWHERE": f"{EXCHANGE[0]}:{EXCHANGE[1]}", **values}.items():
                text = text.replace(f"@{name}@", value)
            file = folder / f"{key}.xml"
            file.write_text(text, "utf-8")
            # -aa: OPTIONS are answered, whatever the scenario waits for
            command = ["sipp", "-sf", str(file), "-i", host, "-p", "5060", "-mi", host, "-mp", "36800", "-nostdin"]
            command += ["-aa", "-trace_stat", "-stf", str(folder / f"{key}.csv"), "-fd", "1", "-deadcall_wait", "0"]
            quiet = asyncio.subprocess.DEVNULL
            running.append(await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet, cwd=folder))
        yield lambda key: folder / f"{key}.csv"
    finally:
        for process in running:
            if process.returncode is None:
                process.terminate()
        for process in running:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 5)
            if process.returncode is None:
                process.kill()


def sipp_successes(statistics: Path) -> int:
    """Calls that went as their scenario says, ACK and all."""
    with statistics.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    return int(rows[-1]["SuccessfulCall(C)"]) if rows else 0

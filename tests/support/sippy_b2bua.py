"""sippy's B2BUA as a peer between a phone and the server: another stack's requests, tags, timers and descriptions."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path


@contextlib.asynccontextmanager
async def b2bua(folder: Path, target: tuple[str, int], *, port: int = 15448) -> AsyncIterator[tuple[str, int]]:
    """Run it on ``port``; every call to it becomes a call to ``target`` with the same user part. Its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sippy.b2bua_simple", "-f", "-l", "127.0.0.1", "-p", str(port),
        "-n", f"{target[0]}:{target[1]}", "-L", str(folder / "sippy.log"),
        env={**os.environ, "SIPLOG_LOGFILE_FILE": str(folder / "sip.log")},
        cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        await _ready(("127.0.0.1", port), process)
        yield ("127.0.0.1", port)
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.communicate(), 5)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _ready(address: tuple[str, int], process: asyncio.subprocess.Process) -> None:
    """Wait until its port is taken."""
    async with asyncio.timeout(15):
        while True:
            if process.returncode is not None:
                _, said = await process.communicate()
                raise AssertionError(f"sippy stopped: {said.decode(errors='replace')[-2000:]}")
            try:
                probe, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                    asyncio.DatagramProtocol, local_addr=address
                )
            except OSError:
                return
            probe.close()
            await asyncio.sleep(0.2)

"""A PostgreSQL server for the tests: the one named, the one that answers here, or a private one that is thrown away."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg

VARIABLE = "PARLONS_TEST_POSTGRES"
USUAL = "postgresql://root@127.0.0.1:5432"
PROGRAMS = "/usr/lib/postgresql/*/bin"
"""Where Debian puts ``initdb``; it is not on the PATH."""


async def execute(address: str, statement: str) -> None:
    """Run one statement. Raises OSError or asyncpg.PostgresError."""
    connection = await asyncpg.connect(address, timeout=10)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The address of a server where databases may be made. Raises RuntimeError when there is none to be had."""
    named = os.environ.get(VARIABLE)
    if named:
        yield named
    elif _answers(USUAL):
        yield USUAL
    else:
        with _private() as address:
            yield address


def _answers(address: str) -> bool:
    try:
        asyncio.run(execute(f"{address}/postgres", "SELECT 1"))
    except (OSError, asyncpg.PostgresError):
        return False
    return True


@contextlib.contextmanager
def _private() -> Iterator[str]:
    found = sorted(Path("/").glob(f"{PROGRAMS.lstrip('/')}/initdb"))
    if not found:
        raise RuntimeError(f"no PostgreSQL: install the package postgresql, or set {VARIABLE} to a server's address")
    programs = found[-1].parent
    # PostgreSQL refuses to run as root: its own user is made by the package
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="parlons-postgres-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    if prefix:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    control = [*prefix, str(programs / "pg_ctl"), "-D", str(data), "-w"]
    make = [*prefix, str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "root", "-E", "UTF8"]
    try:
        subprocess.run(make, check=True, capture_output=True, cwd=folder)
        start = [*control, "-l", str(folder / "log"), "-o", options, "start"]
        subprocess.run(start, check=True, stdout=subprocess.DEVNULL, cwd=folder)
        yield f"postgresql://root@127.0.0.1:{port}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, capture_output=True, cwd=folder)
        shutil.rmtree(folder, ignore_errors=True)

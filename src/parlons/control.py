"""Where the control socket is, and how commands in another process talk to the server through it."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import httpx

from .errors import ParlonsError

_LONGEST = 100
"""A socket's path may hold 107 bytes (``sockaddr_un``)."""


class ServerNotRunning(ParlonsError):
    """No server answers on the control socket of this data directory."""


class ControlRefused(ParlonsError):
    """The server understood and said no."""


def socket_path(data_dir: Path) -> Path:
    """The control socket of a data directory; in the system's temporary directory when its own path is too long."""
    path = data_dir.resolve() / "control.sock"
    if len(str(path).encode()) <= _LONGEST:
        return path
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"parlons-{digest}.sock"


async def request(data_dir: Path, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask the running server for something.

    Raises:
        ServerNotRunning: nothing listens there.
        ControlRefused: the server's own explanation.
    """
    transport = httpx.AsyncHTTPTransport(uds=str(socket_path(data_dir)))
    async with httpx.AsyncClient(transport=transport, base_url="http://parlons", timeout=30) as client:
        try:
            response = await client.request(method, path, json=body)
        except httpx.TransportError:
            raise ServerNotRunning(
                "The server is not running.", hint="Start it with `parlons serve`, with the same PARLONS_DATA_DIR."
            ) from None
    if response.status_code == 204:
        return None
    content = response.json()
    if response.is_error:
        detail = content.get("detail", response.text)
        raise ControlRefused(detail if isinstance(detail, str) else str(detail), hint=content.get("hint", ""))
    return content

"""``parlons doctor``: ports, data, database, providers, clock: what is wrong, and the fix."""

from __future__ import annotations

import ctypes
import os
import socket
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from parlons.control import ServerNotRunning, request
from parlons.conversation.providers import registry
from parlons.errors import ParlonsError
from parlons.installation import open_store
from parlons.settings import Settings
from parlons.store import Store

_CLOCK_UNSYNCHRONISED = 5
"""adjtimex(2): TIME_ERROR."""
_RELEASED = 1_760_000_000
"""No clock can be right that shows a time before this program was written (Unix seconds)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``fix`` is empty when it is well."""

    what: str
    detail: str
    fix: str = ""


async def examine(settings: Settings) -> int:
    """Look at everything, print it, and return 1 when something must be fixed."""
    running = await _running(settings)
    findings = [Finding("server", "running" if running else "not running")]
    findings += ports(settings, running)
    findings += [data_folder(settings), *clock()]
    findings += await database(settings)
    for finding in findings:
        mark, colour = ("ok ", "green") if not finding.fix else ("BAD", "red")
        typer.secho(f"{mark} {finding.what}: {finding.detail}", fg=colour)
        if finding.fix:
            typer.echo(f"    {finding.fix}")
    return 1 if any(f.fix for f in findings) else 0


async def _running(settings: Settings) -> bool:
    try:
        await request(settings.data_dir, "GET", "/")
    except ServerNotRunning:
        return False
    except ParlonsError:
        return True
    return True


def ports(settings: Settings, running: bool) -> list[Finding]:
    """Whether the ports can be had; the running server's own are taken for a good reason."""
    found = []
    for kind, host, port, setting in (
        (socket.SOCK_DGRAM, settings.sip_host, settings.sip_port, "PARLONS_SIP_PORT"),
        (socket.SOCK_STREAM, settings.http_host, settings.http_port, "PARLONS_HTTP_PORT"),
    ):
        what = f"port {port}/{'udp' if kind == socket.SOCK_DGRAM else 'tcp'}"
        error = _bind(kind, host, port)
        if error is None:
            found.append(Finding(what, "free"))
        elif running:
            found.append(Finding(what, "in use by the server"))
        else:
            found.append(Finding(what, error, f"Stop what uses it, or set {setting} to another."))
    count = (settings.rtp_port_max - settings.rtp_port_min + 1) // 2
    low = count < settings.max_calls
    found.append(
        Finding(
            f"RTP ports {settings.rtp_port_min}-{settings.rtp_port_max}",
            f"room for {count} calls, {settings.max_calls} allowed",
            "Widen PARLONS_RTP_PORT_MIN and PARLONS_RTP_PORT_MAX, or lower PARLONS_MAX_CALLS." if low else "",
        )
    )
    return found


def _bind(kind: socket.SocketKind, host: str, port: int) -> str | None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as sock:
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return None


def data_folder(settings: Settings) -> Finding:
    """Whether the data directory can be written."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=settings.data_dir):
            pass
    except OSError as error:
        return Finding(f"data in {settings.data_dir}", str(error), "Make it writable, or set PARLONS_DATA_DIR.")
    free = os.statvfs(settings.data_dir)
    megabytes = free.f_bavail * free.f_frsize // 1_000_000
    fix = "Free some room: recordings and the database need it." if megabytes < 500 else ""
    return Finding(f"data in {settings.data_dir}", f"writable, {megabytes} MB free", fix)


def clock(
    now: Callable[[], float] = time.time, state: Callable[[], int] = lambda: _adjtimex(), zone: str = "Europe/Paris"
) -> list[Finding]:
    """Whether the time and the time zones can be trusted: schedules and records need both."""
    found = []
    if now() < _RELEASED:
        found.append(Finding("clock", "shows a time in the past", "Set the clock (timedatectl set-ntp true)."))
    elif state() == _CLOCK_UNSYNCHRONISED:
        found.append(Finding("clock", "right as far as can be told, not kept by a time service"))
    else:
        found.append(Finding("clock", "synchronised"))
    try:
        ZoneInfo(zone)
        found.append(Finding("time zones", "known"))
    except ZoneInfoNotFoundError:
        found.append(Finding("time zones", "missing", "Install the tzdata package."))
    return found


def _adjtimex() -> int:
    """State of the kernel's clock discipline, adjtimex(2); -1 where it cannot be asked."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        return int(libc.adjtimex(ctypes.create_string_buffer(512)))
    except (OSError, AttributeError):
        return -1


async def database(settings: Settings) -> list[Finding]:
    """Whether the store opens, and whether each live agent has providers that can be built."""
    try:
        store = await open_store(settings)
    except ParlonsError as error:
        return [Finding("database", error.message, error.hint or "Check PARLONS_DATABASE_URL.")]
    try:
        return [Finding("database", settings.store_url.split("@")[-1]), *await providers(store)]
    finally:
        await store.close()


async def providers(store: Store) -> list[Finding]:
    """Each live agent's providers."""
    live = await store.agents.live_all()
    if not live:
        fix = "Apply a folder: parlons apply examples/accueil"
        return [Finding("agents", "none is published: every call is answered 404", fix)]
    found = []
    for agent_id, (agent, version) in sorted(live.items()):
        try:
            await registry.build(agent, environ=os.environ).aclose()
        except ParlonsError as error:
            found.append(Finding(f"agent {agent_id}", error.message, error.hint or "See `parlons agent check`."))
            continue
        used = registry.effective(agent, os.environ)
        names = "; ".join(
            f"{what}: {', '.join(p.type for p in given)}"
            for what, given in (("speech in", used.stt), ("model", used.llm), ("speech out", used.tts))
        )
        found.append(Finding(f"agent {agent_id}", f"version {version}; {names}"))
    return found

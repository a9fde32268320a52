"""The real server as a process of its own: ``parlons serve`` on free loopback ports, with a folder of configuration.

Everything is read from outside (HTTP, the command line, the database file), as an operator would. Its methods block;
from a coroutine that also sends audio call them through ``asyncio.to_thread``.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

SIP_PORTS = range(15400, 15430)
EXAMPLES = Path(__file__).parents[2] / "examples"
NOT_MEASURED_AT_REST = (
    "_providers_", "_alerts_", "_knowledge_", "lag", "seconds", "bytes", "limit", "resting", "_total", "_created",
    "late_frames",
)  # fmt: skip
"""Parts of the names of gauges that say nothing about what a call left behind: sizes, times and running counts."""

Configuration = Mapping[str, Any]
"""``{"agents": {id: document}, "sip_connections": {id: document}, "settings": document}``."""


def free_port(kind: socket.SocketKind, ports: range | None = None) -> int:
    """A port that nobody listens on; any when no range is given."""
    for port in ports or [0]:
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RuntimeError(f"no free port in {ports}")


def write_configuration(folder: Path, configuration: Configuration) -> Path:
    """Write documents as the folder that ``PARLONS_CONFIG`` names."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, documents in configuration.items():
        if kind == "settings":
            (folder / "settings.yaml").write_text(json.dumps(documents), "utf-8")  # JSON is YAML
            continue
        (folder / kind).mkdir(exist_ok=True)
        for key, document in documents.items():
            (folder / kind / f"{key}.json").write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    return folder


class _Unix(http.client.HTTPConnection):
    """HTTP over a socket file."""

    def __init__(self, path: str) -> None:
        super().__init__("parlons", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(10)
        self.sock.connect(self._path)


class ParlonsServer:
    """One server process. ``with ParlonsServer(folder, configuration) as server: ...``

    Args:
        folder: holds the data directory, the configuration and the log; kept after a kill for the next start.
        configuration: documents to write, or a folder that exists.
        rtp_ports: the range given to the server. A port rests 60 s after a call: have enough.
        environment: more variables.
        program: what Python runs in place of ``-m parlons``.
    """

    def __init__(
        self,
        folder: Path,
        configuration: Configuration | Path,
        *,
        rtp_ports: range = range(34000, 35000),
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = ("-m", "parlons"),
    ) -> None:
        self.folder = folder
        self._program = tuple(program)
        self.data = folder / "data"
        if isinstance(configuration, Path):
            self.config = configuration
        else:
            self.config = write_configuration(folder / "config", configuration)
        self.sip_port = free_port(socket.SOCK_DGRAM, SIP_PORTS)
        self.http_port = free_port(socket.SOCK_STREAM)
        self.log_path = folder / "server.log"
        self.at_rest: dict[str, float] = {}
        """The gauges before the first call."""
        self._process: subprocess.Popen[bytes] | None = None
        inherited = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith("PARLONS_") and not k.endswith(("_API_KEY", "_PROXY"))
        }
        self.environment = inherited | {
            "PARLONS_HTTP_PORT": str(self.http_port),
            "PARLONS_SIP_PORT": str(self.sip_port),
            "PARLONS_SIP_HOST": "127.0.0.1",
            "PARLONS_RTP_PORT_MIN": str(rtp_ports.start),
            "PARLONS_RTP_PORT_MAX": str(rtp_ports.stop - 1),
            "PARLONS_DATA_DIR": str(self.data),
            "PARLONS_CONFIG": str(self.config),
            **(environment or {}),
        }

    # -- life ----------------------------------------------------------------------------------------------
    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self, timeout: float = 40.0) -> None:
        """Start it and wait until it takes calls. Raises AssertionError with its log when it does not."""
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._program, "serve"],
                env=self.environment, cwd=self.folder, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise AssertionError(f"the server stopped with {self._process.returncode}:\n{self.log()[-6000:]}")
            if self.health() == 200:
                if not self.at_rest:
                    self.at_rest = self.gauges()
                return
            time.sleep(0.1)
        self.kill9()
        raise AssertionError(f"the server took no call within {timeout} s:\n{self.log()[-6000:]}")

    @property
    def process(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise AssertionError("the server was not started")
        return self._process

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def terminate(self) -> None:
        """SIGTERM: drain."""
        self.process.send_signal(signal.SIGTERM)

    def kill9(self) -> None:
        """What a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def wait(self, timeout: float = 20.0) -> int:
        """Its exit status. Raises subprocess.TimeoutExpired."""
        return self.process.wait(timeout)

    def stop(self) -> None:
        """SIGTERM twice (stop at once), then SIGKILL if it does not obey."""
        if not self.alive:
            return
        self.terminate()
        try:
            self.wait(3)
        except subprocess.TimeoutExpired:
            self.terminate()
            try:
                self.wait(12)
            except subprocess.TimeoutExpired:
                self.kill9()

    # -- addresses -----------------------------------------------------------------------------------------
    @property
    def sip(self) -> tuple[str, int]:
        return ("127.0.0.1", self.sip_port)

    def uri(self, user: str) -> str:
        """``sip:user@`` this server."""
        return f"sip:{user}@127.0.0.1:{self.sip_port}"

    # -- reading -------------------------------------------------------------------------------------------
    def get(self, path: str, timeout: float = 5.0) -> tuple[int, str]:
        """(status, body) of a GET; status 0 when nothing listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}", timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def health(self) -> int:
        """Status of ``GET /v1/health``."""
        return self.get("/v1/health")[0]

    def log(self) -> str:
        return self.log_path.read_text("utf-8", "replace") if self.log_path.is_file() else ""

    def memory(self) -> int:
        """Resident bytes of the process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))

    def cpu_seconds(self) -> float:
        """Processor time used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def metrics(self) -> dict[str, float]:
        """Every sample of ``/metrics``, as ``name`` or ``name{labels}``."""
        status, text = self.get("/metrics")
        assert status == 200, f"/metrics answered {status}"
        lines = [line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#")]
        return {name: float(value) for name, _, value in lines}

    def gauges(self) -> dict[str, float]:
        """Every gauge that measures what calls use."""
        kinds = dict(
            line.split()[2:4] for line in self.get("/metrics")[1].splitlines() if line.startswith("# TYPE parlons_")
        )
        return {
            name: value
            for name, value in self.metrics().items()
            if kinds.get(name.partition("{")[0]) == "gauge" and not any(word in name for word in NOT_MEASURED_AT_REST)
        }

    def gauges_idle(self, timeout: float = 70.0) -> None:
        """Assert that every gauge comes back to what it was before the first call (transactions linger up to 64 s)."""
        assert self.at_rest, "the server exports no gauge"
        end = time.monotonic() + timeout
        while True:
            now = self.gauges()
            off = {name: value for name, value in now.items() if value != self.at_rest.get(name, 0.0)}
            if not off:
                return
            if time.monotonic() > end:
                raise AssertionError(f"not back to idle after {timeout} s: {off}, at rest {self.at_rest}")
            time.sleep(0.5)

    # -- calls ---------------------------------------------------------------------------------------------
    def _rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        database = sqlite3.connect(f"file:{self.data / 'parlons.db'}?mode=ro", uri=True, timeout=5)
        try:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query, values)]
        finally:
            database.close()

    def calls(self) -> list[dict[str, Any]]:
        """Every call record, oldest first."""
        return self._rows("SELECT * FROM calls ORDER BY started_at, id")

    def call(self, sip_call_id: str) -> dict[str, Any]:
        """The one record of a SIP Call-ID; AssertionError for none, or for two."""
        found = self._rows("SELECT * FROM calls WHERE sip_call_id = ?", sip_call_id)
        assert len(found) == 1, f"{len(found)} records for one call: {found}"
        return found[0]

    def timeline(self, call_id: str) -> list[dict[str, Any]]:
        """A call's events in order: at_ms, actor, kind, payload."""
        rows = self._rows("SELECT at_ms, actor, kind, payload FROM call_events WHERE call_id = ? ORDER BY id", call_id)
        return [{**row, "payload": json.loads(row["payload"])} for row in rows]

    def said(self, sip_call_id: str, actor: str) -> list[str]:
        """What one side said in a call, as the timeline has it."""
        events = self.timeline(self.call(sip_call_id)["id"])
        return [e["payload"]["text"] for e in events if e["kind"] == "transcript" and e["actor"] == actor]

    def ended(self, sip_call_id: str, timeout: float = 10.0) -> dict[str, Any]:
        """The record once the call is over."""

        def over() -> dict[str, Any] | None:
            record = self.call(sip_call_id)
            return record if record["ended_at"] else None

        record: dict[str, Any] = self.until(over, timeout, "the call's record was not closed")
        return record

    @staticmethod
    def until(check: Callable[[], Any], timeout: float, complaint: str) -> Any:
        """Call ``check`` until it gives something true; the last AssertionError, or ``complaint``, after that long."""
        end = time.monotonic() + timeout
        failure = AssertionError(complaint)
        while time.monotonic() < end:
            try:
                if found := check():
                    return found
            except AssertionError as error:
                failure = error
            time.sleep(0.1)
        raise failure

    def wait_providers(self, timeout: float = 15.0) -> None:
        """Wait until the background check has seen every provider usable: those of the tests start after the server."""

        def usable() -> bool:
            seen = self.metrics()
            return seen["parlons_providers_usable"] == seen["parlons_providers_watched"]

        self.until(usable, timeout, "not every provider is usable")

    def place(self, agent: str, to: str) -> str:
        """Place a call over the control socket, as ``parlons call`` does; the call's id."""
        connection = _Unix(str(self.data / "control.sock"))
        try:
            body = json.dumps({"agent_id": agent, "to": to})
            connection.request("POST", "/calls", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read().decode()
        finally:
            connection.close()
        assert answer.status == 201, content
        return str(json.loads(content)["id"])

    def outcome(self, call_id: str, timeout: float = 20.0) -> dict[str, Any]:
        """The record of a placed call once it is over."""

        def over() -> dict[str, Any] | None:
            rows = self._rows("SELECT * FROM calls WHERE id = ? AND ended_at IS NOT NULL", call_id)
            return rows[0] if rows else None

        record: dict[str, Any] = self.until(over, timeout, "the call's record was not closed")
        return record

    def assert_no_bug(self) -> None:
        """The process lives, and nothing it logged is a fault of its own."""
        log = self.log()
        assert self.alive, log[-4000:]
        for mark in ("Traceback (most recent call last)", "internal error", "Task exception was never retrieved"):
            at = log.find(mark)
            assert at < 0, log[max(0, at - 1000) : at + 4000]

    def cli(self, *arguments: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run ``parlons ...`` with the server's settings."""
        return subprocess.run(
            [sys.executable, "-m", "parlons", *arguments],
            env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip

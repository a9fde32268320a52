"""Starts what is measured, pinned to one core, and stops it. One class for Parlons and for every peer."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PEER_ENVIRONMENTS = ROOT / ".venv-peers"
SIP_PORT = 15300
HTTP_PORT = 15301
RTP_PORTS = (30000, 31999)
GENERATOR_SIP_PORT = 15310
DESK = ("127.0.0.2", 15311)
"""Where the load generator is rung: at an address of its own, so that callers do not come in on its connection."""
DECISIONS_PORT = 15312
END_OF_SPEECH_MS = 600
READY_SECONDS = 60.0

AGENT: dict[str, Any] = {
    "name": "Bench",
    "direction": "inbound",
    "language": "fr-FR",
    "max_call_seconds": 3600,
    "greeting": "Bonjour.",
    "prompt": "Answer.",
    "silence_check_seconds": 60,
    "providers": {"stt": [{"type": "bench"}], "llm": [{"type": "bench"}], "tts": [{"type": "bench"}]},
    "path": {
        "start": "talk",
        "steps": [
            {
                "id": "talk",
                "type": "prompt",
                "name": "Talk",
                "prompt": "Answer.",
                "end_of_speech_ms": END_OF_SPEECH_MS,
                "actions": [],
                "transitions": [],
            }
        ],
    },
}

SWITCHBOARD = copy.deepcopy(AGENT)
"""The same agent, but its model puts every caller through."""
SWITCHBOARD["prompt"] = "Put them through. <caller {{ system.phone_e164 }}>"
SWITCHBOARD["actions"] = [
    {
        "type": "transfer",
        "name": "put through",
        "description": "Put the caller through to the desk.",
        "sip_connection_id": "desk",
        "destinations": [{"extension": "desk"}],
        "headers": [{"name": "X-Bench-Caller", "value": "{{ system.phone_e164 }}"}],
    }
]
SWITCHBOARD["path"]["steps"][0]["actions"] = ["put through"]
SWITCHBOARD_SETTINGS = {"max_outbound_legs": 1000, "max_outbound_per_minute": 10_000}


WORKFLOW_PORT = 15313
FAILS_OVER = copy.deepcopy(AGENT)
"""The same agent, but its pre-call workflow asks for failover: a message."""
FAILS_OVER["pre_call"] = {"workflow_id": "asks", "timeout_seconds": 5}
FAILS_OVER["failover"] = {"enabled": True, "action": {"type": "message", "text": "Fermé.", "language": "fr-FR"}}
RINGS = copy.deepcopy(FAILS_OVER)
"""Likewise, but it rings the desk."""
RINGS["failover"]["action"] = {
    "type": "transfer",
    "sip_connection_id": "desk",
    "destination_id": "desk",
    "headers": [{"name": "X-Bench-Caller", "value": "{{ system.phone_e164 }}"}],
}
ASKS = {
    "name": "Asks",
    "trigger": "pre_call",
    "status": "published",
    "steps": [
        {"id": "ask", "type": "http", "url": f"http://127.0.0.1:{WORKFLOW_PORT}/{{{{ system.phone_e164 }}}}"},
        {"id": "back", "type": "return", "value": "{{ steps.ask.body }}"},
    ],
}
FAILOVER_SETTINGS = {**SWITCHBOARD_SETTINGS, "failover_enabled": True, "allow_private_addresses": True}


class EngineFailed(RuntimeError):
    """What was to be measured did not start, or died; the text says why."""


@dataclass(frozen=True, slots=True)
class Spec:
    """How to run one engine. ``prepare`` fills a fresh working folder before each start."""

    name: str
    command: Sequence[str]
    user: str
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Path], None] = lambda folder: None


def parlons(answer: Path) -> Spec:
    """Parlons itself, as ``parlons serve`` runs it, with the zero-latency providers registered."""

    def prepare(folder: Path) -> None:
        agents = folder / "config" / "agents"
        agents.mkdir(parents=True)
        (agents / "bench.json").write_text(json.dumps(AGENT))

    return Spec(
        name="Parlons",
        command=[sys.executable, "-m", "benchmarks.serve_fake"],
        user="bench",
        environment={
            "BENCH_ANSWER_PCM": str(answer),
            "PARLONS_SIP_HOST": "127.0.0.1",
            "PARLONS_SIP_PORT": str(SIP_PORT),
            "PARLONS_HTTP_PORT": str(HTTP_PORT),
            "PARLONS_RTP_PORT_MIN": str(RTP_PORTS[0]),
            "PARLONS_RTP_PORT_MAX": str(RTP_PORTS[1]),
            "PARLONS_DATA_DIR": "data",
            "PARLONS_CONFIG": "config",
            "PARLONS_MAX_CALLS": "900",
            "PARLONS_LOG_LEVEL": "warning",
            "PARLONS_DRAIN_SECONDS": "1",
        },
        prepare=prepare,
    )


def switchboard(answer: Path, codec: str) -> Spec:
    """Parlons with one agent more, ``switchboard``, that puts callers through to the load generator over a SIP
    connection of this one codec."""
    plain = parlons(answer)
    connections = {
        "callers": {"name": "Callers", "host": "127.0.0.1", "port": GENERATOR_SIP_PORT},
        "desk": {"name": "Desk", "host": DESK[0], "port": DESK[1], "codecs": [codec]},
    }

    def prepare(folder: Path) -> None:
        plain.prepare(folder)
        config = folder / "config"
        (config / "sip_connections").mkdir()
        for name, connection in connections.items():
            (config / "sip_connections" / f"{name}.json").write_text(json.dumps(connection))
        (config / "agents" / "switchboard.json").write_text(json.dumps(SWITCHBOARD))
        (config / "settings.json").write_text(json.dumps(SWITCHBOARD_SETTINGS))

    told = {"BENCH_DECISIONS": f"127.0.0.1:{DECISIONS_PORT}"}
    return replace(plain, user="switchboard", environment={**plain.environment, **told}, prepare=prepare)


def failing_over(answer: Path) -> Spec:
    """Parlons with two agents more, whose calls all fail over: ``told`` a message, ``rings`` the load generator's
    desk."""
    plain = switchboard(answer, "PCMA")

    def prepare(folder: Path) -> None:
        plain.prepare(folder)
        config = folder / "config"
        (config / "workflows").mkdir()
        (config / "workflows" / "asks.json").write_text(json.dumps(ASKS))
        (config / "agents" / "told.json").write_text(json.dumps(FAILS_OVER))
        (config / "agents" / "rings.json").write_text(json.dumps(RINGS))
        (config / "settings.json").write_text(json.dumps(FAILOVER_SETTINGS))

    return replace(plain, user="told", prepare=prepare)


def _peer_arguments(answer: Path) -> list[str]:
    return [str(SIP_PORT), str(RTP_PORTS[0]), str(RTP_PORTS[1]), str(answer), str(END_OF_SPEECH_MS)]


def floor(answer: Path) -> Spec:
    """No engine: what the measuring adds by itself."""
    return Spec("floor", [sys.executable, "-m", "benchmarks.peers.floor", *_peer_arguments(answer)], "bench")


def pipecat(answer: Path) -> Spec:
    """The Pipecat peer, in its own virtual environment, which is made on first use (the only need of a network).

    Raises:
        EngineFailed: the environment could not be made.
    """
    python = _peer_environment("pipecat")
    return Spec("Pipecat", [str(python), "-m", "benchmarks.peers.pipecat.server", *_peer_arguments(answer)], "bench")


def pipecat_as_it_comes(answer: Path) -> Spec:
    """The same peer with everything as Pipecat sets it: the end-of-turn model, RTVI, turn tracking, idle timers."""
    lean = pipecat(answer)
    return replace(lean, name="Pipecat as it comes", command=[*lean.command, "as-it-comes"])


def _peer_environment(name: str) -> Path:
    requirements = ROOT / "benchmarks" / "peers" / name / "requirements.txt"
    folder = PEER_ENVIRONMENTS / name
    stamp = folder / "requirements.sha256"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        PEER_ENVIRONMENTS.mkdir(exist_ok=True)
        (PEER_ENVIRONMENTS / ".gitignore").write_text("*\n")
        try:
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            install = [folder / "bin" / "python", "-m", "pip", "install", "-q", "--require-hashes", "-r", requirements]
            subprocess.run([str(part) for part in install], check=True)
        except subprocess.CalledProcessError as error:
            raise EngineFailed(f"the virtual environment of {name} could not be made: {error}") from None
        stamp.write_text(wanted)
    return folder / "bin" / "python"


def cores() -> tuple[int, int]:
    """(core of what is measured, core of the load generator).

    Raises:
        EngineFailed: this process may use only one core, so nothing it measured would mean anything.
    """
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise EngineFailed("a benchmark needs two cores: one for the server, one for the load generator")
    return usable[-1], usable[0]


def pinned(command: Sequence[str], core: int) -> list[str]:
    """The command, bound to one core from its first instruction."""
    return ["taskset", "-c", str(core), *command]


class Engine:
    """A running engine. ``with Engine(spec, core, folder) as engine``: listening inside the block, gone after it."""

    def __init__(self, spec: Spec, core: int, folder: Path) -> None:
        self.spec, self._core, self._folder = spec, core, folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process to read from /proc (taskset becomes the command: same pid)."""
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> Engine:
        self._folder.mkdir(parents=True)
        self.spec.prepare(self._folder)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PARLONS_")}
        environment |= {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", **self.spec.environment}
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                pinned(self.spec.command, self._core), cwd=self._folder, env=environment, stdout=log, stderr=log
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait(self) -> None:
        limit = time.monotonic() + READY_SECONDS
        while time.monotonic() < limit:
            if not self.alive:
                raise EngineFailed(f"{self.spec.name} stopped while starting:\n{self.log_tail()}")
            if answers_options("127.0.0.1", SIP_PORT):
                return
        raise EngineFailed(f"{self.spec.name} did not answer OPTIONS in {READY_SECONDS:.0f} s:\n{self.log_tail()}")

    def log_tail(self) -> str:
        """The last it wrote."""
        return (self._folder / "log").read_text("utf-8", "replace")[-2000:]

    def stop(self) -> None:
        """SIGTERM, and SIGKILL after 20 s."""
        if self._process is None or not self.alive:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def answers_options(host: str, port: int, seconds: float = 0.5) -> bool:
    """Whether a SIP server answers there, whatever it answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(seconds)
        sock.bind((host, 0))
        own = sock.getsockname()[1]
        stamp = f"{time.monotonic_ns():x}"
        lines = [
            f"OPTIONS sip:bench@{host}:{port} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{own};branch=z9hG4bK{stamp};rport",
            "Max-Forwards: 70",
            f"From: <sip:bench@{host}:{own}>;tag={stamp}",
            f"To: <sip:bench@{host}:{port}>",
            f"Call-ID: {stamp}@{host}",
            "CSeq: 1 OPTIONS",
            f"Contact: <sip:bench@{host}:{own}>",
            "Content-Length: 0",
        ]
        try:
            sock.sendto(("\r\n".join(lines) + "\r\n\r\n").encode(), (host, port))
            return sock.recv(65535).startswith(b"SIP/2.0")
        except OSError:  # nobody there yet, refused or silent
            time.sleep(0.1)
            return False

"""Process settings: from the environment, else from ``parlons.toml``, else the default; each knows where it came from.

Settings of the installation that a person edits in the console (failover switch, limits, retention) are not here:
they are a document, ``agents.connections.InstallationSettings``.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from .errors import InvalidDocument

PREFIX = "PARLONS_"
FILE_NAME = "parlons.toml"
CALLS_PER_CORE = 30
"""What one core was measured to carry (docs/benchmarks.md)."""

_Port = Annotated[int, Field(ge=1, le=65535)]


def _default_max_calls() -> int:
    return CALLS_PER_CORE * len(os.sched_getaffinity(0))


def _numbers(value: Any) -> Any:
    """Numbers in an environment variable are separated by commas."""
    return value.split(",") if isinstance(value, str) else value


class Settings(BaseModel):
    """Every setting of the process, with its bounds and its meaning."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    http_port: Annotated[_Port, Field(description="port of the API and the console")] = 8000
    http_host: Annotated[str, Field(description="address the API and the console listen on")] = "127.0.0.1"
    sip_port: Annotated[_Port, Field(description="SIP over UDP")] = 5060
    sip_host: Annotated[str, Field(description="address SIP and RTP listen on")] = "0.0.0.0"
    public_address: Annotated[
        str | None,
        Field(description="address that SDP, Via and Contact advertise; none: the one that reaches the peer"),
    ] = None
    rtp_port_min: Annotated[_Port, Field(description="first RTP port")] = 20000
    rtp_port_max: Annotated[_Port, Field(description="last RTP port; each call takes two ports")] = 20999
    data_dir: Annotated[Path, Field(description="database, recordings, indexes, keys")] = Path("data")
    database_url: Annotated[
        str | None, Field(description="PostgreSQL as the store; none: SQLite in the data directory")
    ] = None
    admin_key: Annotated[
        str | None,
        Field(description="API key of the first administrator; without one it is made at first start and printed once"),
    ] = None
    secret_key: Annotated[
        str | None, Field(description="encrypts stored secrets; none: made in the data directory, mode 0600")
    ] = None
    config: Annotated[Path | None, Field(description="a folder of configuration applied at start")] = None
    max_calls: Annotated[int, Field(ge=1, le=10_000, description="calls at once; more are answered 503")] = Field(
        default_factory=_default_max_calls
    )
    drain_seconds: Annotated[
        int, Field(ge=0, le=86_400, description="after SIGTERM, how long calls under way may go on")
    ] = 3600
    delivery_pauses: Annotated[
        tuple[Annotated[float, Field(ge=1, le=86_400)], ...],
        BeforeValidator(_numbers),
        Field(
            min_length=1,
            max_length=20,
            description="seconds between the attempts of a post-call delivery, as in 10,60,600; the last one repeats",
        ),
    ] = (10, 30, 60, 300, 900, 1800, 3600, 7200)
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Field(description="what is logged")] = "info"
    log_words: Annotated[bool, Field(description="write what callers and agents say to the log")] = False

    @model_validator(mode="after")
    def _ports_in_order(self) -> Self:
        if self.rtp_port_max - self.rtp_port_min < 1:
            raise ValueError("rtp_port_max must be above rtp_port_min: a call takes two ports")
        return self

    @property
    def store_url(self) -> str:
        """The database to open."""
        return self.database_url or f"sqlite:///{self.data_dir / 'parlons.db'}"


@dataclass(frozen=True, slots=True)
class Source:
    """Where the value of one setting came from."""

    name: str
    value: Any
    origin: str
    meaning: str


SECRET = frozenset({"secret_key", "admin_key"})


def load(environ: Mapping[str, str] | None = None, folder: Path | None = None) -> tuple[Settings, list[Source]]:
    """Read the settings.

    Raises:
        InvalidDocument: a value out of bounds, or a name that is not a setting.
    """
    environ = os.environ if environ is None else environ
    path = (folder or Path()) / FILE_NAME
    from_file: dict[str, Any] = {}
    if path.is_file():
        try:
            from_file = tomllib.loads(path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidDocument(str(path), [("", str(error))]) from None
    fields = Settings.model_fields
    from_env = {
        name: environ[PREFIX + name.upper()] for name in fields if environ.get(PREFIX + name.upper(), "").strip()
    }
    try:
        settings = Settings.model_validate({**from_file, **from_env})
    except ValidationError as error:
        problems = []
        for item in error.errors():
            name = str(item["loc"][0]) if item["loc"] else ""
            where = PREFIX + name.upper() if name in from_env else f"{path}: {name}" if name in from_file else name
            problems.append((where, item["msg"]))
        raise InvalidDocument("the settings", problems) from None
    sources = []
    for name, field in fields.items():
        origin = "environment" if name in from_env else str(path) if name in from_file else "default"
        value = getattr(settings, name)
        shown = "(set)" if name in SECRET and value is not None else value
        sources.append(Source(PREFIX + name.upper(), shown, origin, field.description or ""))
    return settings, sources

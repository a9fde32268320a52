"""SIP connections and installation settings, as data (specification, sections 8 and 11)."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from .common import (
    Document,
    Header,
    HttpUrl,
    Identifier,
    LanguageTag,
    PortNumber,
    ShortText,
    SpokenText,
    TimeZoneName,
    unique,
)
from .models import Provider

CodecName = Literal["PCMA", "PCMU", "G722"]
DtmfMode = Literal["auto", "rfc4733", "info", "inband"]
Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:\-\[\]]{1,253}$")]
Credential = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


def _network(value: str) -> str:
    try:
        return str(ip_network(value, strict=False))
    except ValueError:
        raise ValueError(f"{value!r} is not an address or a network such as 192.0.2.0/24") from None


class SipConnection(Document):
    """A trunk or a PBX: where INVITEs go, with which credentials, and who may call in.

    ``password`` and ``inbound_password`` are write-only: in files ``${NAME}``; never given back.
    """

    name: ShortText
    host: Host
    port: PortNumber = 5060
    transport: Literal["udp"] = "udp"
    username: Credential | None = None
    password: Credential | None = None
    inbound_username: Credential | None = None
    inbound_password: Credential | None = None
    register_: Annotated[bool, Field(alias="register")] = False
    default_agent_id: Identifier | None = None
    from_mode: Literal["agent", "caller"] = "agent"
    number_format: Literal["e164", "digits", "00", "national"] = "e164"
    caller_id: Annotated[str, StringConstraints(max_length=64)] | None = None
    headers: Annotated[list[Header], Field(max_length=50)] = []
    allowed_addresses: Annotated[list[str], Field(max_length=500)] = []
    codecs: Annotated[list[CodecName], Field(min_length=1, max_length=3)] = ["PCMA", "PCMU", "G722"]
    dtmf: DtmfMode = "auto"
    max_calls: Annotated[int, Field(ge=1, le=10_000)] | None = None

    model_config = {"serialize_by_alias": True}

    @field_validator("transport", mode="before")
    @classmethod
    def _udp_only(cls, value: object) -> object:
        if value in ("tcp", "tls"):
            raise ValueError(f"{value} is the work of the SIP edge (see deploy/): connect to it over udp")
        return value

    @field_validator("allowed_addresses")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        return [_network(v) for v in value]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.register_ and not (self.username and self.password):
            raise ValueError("register needs username and password")
        if (self.inbound_username is None) != (self.inbound_password is None):
            raise ValueError("inbound_username and inbound_password go together")
        unique(list(self.codecs), "codec")
        unique([h.name.lower() for h in self.headers], "header")
        return self


REFUSED_PREFIXES = [
    "+870", "+881", "+882", "+883", "+888", "+979", "+1900", "+1976", "+33899", "+3389", "+4487", "+4490",
    "+4491", "+4498",
]  # fmt: skip
"""Satellite, international shared-cost and premium ranges refused by default."""


class Retention(Document):
    """How long things are kept, in days; 0 keeps nothing past the end of the day's purge."""

    recordings_days: Annotated[int, Field(ge=0, le=3650)] = 30
    calls_days: Annotated[int, Field(ge=0, le=3650)] = 365


class InstallationSettings(Document):
    """What ``settings.yaml`` and the settings page hold: one per installation."""

    failover_enabled: bool = False
    default_country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    default_language: LanguageTag = "en-GB"
    default_timezone: TimeZoneName = "Europe/Paris"
    outbound_connection_id: Identifier | None = None
    allow_private_addresses: bool = False
    max_outbound_legs: Annotated[int, Field(ge=0, le=10_000)] = 50
    max_outbound_per_minute: Annotated[int, Field(ge=0, le=10_000)] = 60
    refused_prefixes: list[Annotated[str, StringConstraints(pattern=r"^\+[0-9]{1,14}$")]] = REFUSED_PREFIXES
    max_bridged_seconds: Annotated[int, Field(ge=60, le=86_400)] = 14_400
    record_bridge: bool = False
    default_error_message: SpokenText | None = None
    alert_url: HttpUrl | None = None
    retention: Retention = Retention()
    embedding: Provider | None = None
    """Where the vectors of data sources come from; None: they are searched by words alone."""

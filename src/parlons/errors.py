"""The one error tree. Every failure says whose fault it is, whether to retry, and what a person can do.

Nothing here may import another Parlons module.
"""

from __future__ import annotations

from typing import ClassVar, Literal

Owner = Literal["operator", "configuration", "provider", "peer", "caller", "parlons"]


class ParlonsError(Exception):
    """Root of the tree.

    Args:
        message: what happened, in one sentence, without secrets or callers' words.
        hint: what a person can do about it; empty when there is nothing to do.
    """

    owner: ClassVar[Owner] = "parlons"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


# -- what a person wrote ---------------------------------------------------------------------------


class ConfigurationError(ParlonsError):
    """A setting, a file or a document that cannot be used as it is."""

    owner: ClassVar[Owner] = "configuration"


class InvalidDocument(ConfigurationError):
    """A document that breaks its model; ``problems`` holds (path of the value, what is wrong with it)."""

    def __init__(self, what: str, problems: list[tuple[str, str]]) -> None:
        self.what = what
        self.problems = problems
        lines = "\n".join(f"  {path or '(document)'}: {text}" for path, text in problems)
        super().__init__(f"{what} is not valid:\n{lines}")


class TemplateError(ConfigurationError):
    """A template that does not parse, or that cannot be rendered with this call's variables."""


class Conflict(ConfigurationError):
    """A change that clashes with what is already stored (a number on two agents, a stale draft)."""


class NotFound(ConfigurationError):
    """Something named that does not exist."""


class SecretUnreadable(ConfigurationError):
    """A stored secret that this installation's key cannot decrypt."""


# -- providers of speech and language ---------------------------------------------------------------


class ProviderError(ParlonsError):
    """A provider failed: unreachable, refused, too slow, or answered nothing."""

    owner: ClassVar[Owner] = "provider"
    retryable: ClassVar[bool] = True


class ProviderTimeout(ProviderError):
    """The provider produced nothing within our own deadline."""


class ProviderUnusable(ProviderError):
    """The provider cannot work as configured: unknown type, missing key or extra, language it lacks."""

    owner: ClassVar[Owner] = "configuration"
    retryable: ClassVar[bool] = False


# -- telephony ---------------------------------------------------------------------------------------


class TelephonyError(ParlonsError):
    """Signalling or media with a peer went wrong."""

    owner: ClassVar[Owner] = "peer"


class SipError(TelephonyError):
    """A SIP request that is answered with ``code``, or a final answer we received with ``code``."""

    def __init__(self, code: int, reason: str, *, hint: str = "") -> None:
        super().__init__(f"{code} {reason}", hint=hint)
        self.code = code
        self.reason = reason


class SdpError(SipError):
    """A session description we cannot use: 400 when it does not parse, 488 when nothing in it suits."""


class LegClosed(TelephonyError):
    """Something was asked of a leg that has ended."""


class IllegalMove(TelephonyError):
    """A state machine was asked for a move its table does not hold: a bug of ours."""

    owner: ClassVar[Owner] = "parlons"


class HeaderRefused(ConfigurationError):
    """A SIP header name or value that may not go on the wire."""


class PortsExhausted(TelephonyError):
    """No RTP port is free in the configured range."""

    owner: ClassVar[Owner] = "operator"
    retryable: ClassVar[bool] = True


# -- storage -----------------------------------------------------------------------------------------


class StoreError(ParlonsError):
    """The database could not do what was asked."""

    owner: ClassVar[Owner] = "operator"
    retryable: ClassVar[bool] = True

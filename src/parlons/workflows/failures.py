"""What can go wrong when a workflow runs: a branch of the one error tree, with a stable code for each failure.

Messages hold no header, no body and no query of a request; the runner redacts secrets from them all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..errors import Owner, ParlonsError

if TYPE_CHECKING:
    from .http_client import Reply


class WorkflowError(ParlonsError):
    """Root of this branch: what the person who wrote the workflow can put right."""

    owner: ClassVar[Owner] = "configuration"
    code: ClassVar[str] = "workflow_error"


class InputInvalid(WorkflowError):
    """A value the workflow takes is missing or of another type."""

    code: ClassVar[str] = "invalid_input"


class Unrenderable(WorkflowError):
    """A field of a step cannot be rendered: undefined variable, broken template, or over a limit."""

    code: ClassVar[str] = "unrenderable"


class TooBig(WorkflowError):
    """The workflow makes more than may be sent, kept or returned."""

    code: ClassVar[str] = "too_big"


class RequestInvalid(WorkflowError):
    """A URL, header or body that cannot be sent as it was rendered."""

    code: ClassVar[str] = "invalid_request"


class SecretMissing(WorkflowError):
    """A secret cannot be read."""

    code: ClassVar[str] = "secret"


class ReservedName(WorkflowError):
    """A ``set`` step names a variable that only Parlons writes."""

    code: ClassVar[str] = "reserved_name"


class ResultInvalid(WorkflowError):
    """A workflow ended well, but with a result its trigger cannot use."""

    code: ClassVar[str] = "invalid_result"


class OutsideError(WorkflowError):
    """The outside system, or the way to it, failed."""

    owner: ClassVar[Owner] = "provider"
    retryable: ClassVar[bool] = True
    code: ClassVar[str] = "outside"


class AddressRefused(OutsideError):
    """The host is at an address that may not be reached."""

    owner: ClassVar[Owner] = "operator"
    retryable: ClassVar[bool] = False
    code: ClassVar[str] = "address_refused"


class NameNotFound(OutsideError):
    """The host's name has no address, or the name service did not say in time."""

    code: ClassVar[str] = "name_not_found"


class ConnectFailed(OutsideError):
    """No connection could be made: nothing was sent."""

    code: ClassVar[str] = "connect_failed"


class OutsideTimeout(OutsideError):
    """The whole reply did not come within the step's time."""

    code: ClassVar[str] = "timeout"


class ConnectionDropped(OutsideError):
    """The connection ended before the reply did, or the reply is no HTTP."""

    code: ClassVar[str] = "connection_dropped"


class RedirectRefused(OutsideError):
    """A redirect that is not followed: too many, to another kind of URL, or with a body to another origin."""

    retryable: ClassVar[bool] = False
    code: ClassVar[str] = "redirect_refused"


class ReplyTooBig(OutsideError):
    """The reply, unpacked, is over the cap."""

    retryable: ClassVar[bool] = False
    code: ClassVar[str] = "reply_too_big"


class ReplyInvalid(OutsideError):
    """The reply says it is JSON and is not, or is packed in a way that cannot be unpacked."""

    retryable: ClassVar[bool] = False
    code: ClassVar[str] = "invalid_reply"


class UnexpectedStatus(OutsideError):
    """The reply's status is none of those expected."""

    code: ClassVar[str] = "unexpected_status"

    def __init__(self, message: str, reply: Reply, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reply = reply

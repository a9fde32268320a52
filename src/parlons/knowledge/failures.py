"""What can go wrong with documents and searches: a branch of the one error tree, with a stable code for each."""

from __future__ import annotations

from typing import ClassVar

from ..errors import Owner, ParlonsError


class KnowledgeError(ParlonsError):
    """Root of this branch."""

    code: ClassVar[str] = "knowledge"


class DocumentRefused(KnowledgeError):
    """A document that cannot be read, for a reason a person can do something about. ``reason`` is stable.

    Reasons: ``empty, too_big, unknown_kind, encrypted, no_text, scanned, damaged, too_heavy, not_text, unreachable``.
    """

    owner: ClassVar[Owner] = "configuration"
    code: ClassVar[str] = "document_refused"

    def __init__(self, reason: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class IndexFailed(KnowledgeError):
    """The index could not be read or written: disk full, files damaged or removed."""

    owner: ClassVar[Owner] = "operator"
    retryable: ClassVar[bool] = True
    code: ClassVar[str] = "index_failed"


class EmbeddingFailed(KnowledgeError):
    """The embedding provider did not answer, or not with vectors."""

    owner: ClassVar[Owner] = "provider"
    retryable: ClassVar[bool] = True
    code: ClassVar[str] = "embedding_failed"

"""Structured logs as JSON lines. Nobody's words are written unless ``log_words`` asks for them."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

WORDS = frozenset({"text", "transcript", "words", "digits", "message", "arguments", "utterance", "passages", "values"})
"""Keys that may hold what somebody said or typed."""


def _without_words(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    for key in WORDS & event.keys():
        event[key] = "(withheld)"
    return event


def configure(level: str = "info", *, words: bool = False) -> None:
    """Send our logs, and the libraries' warnings, to standard error as JSON lines."""
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    if not words:
        processors.append(_without_words)
    structlog.configure(
        processors=[*processors, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Libraries log through the standard module; some of them log what people say at debug and info.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines(words))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


class _JsonLines(logging.Formatter):
    """A library's log record as one JSON line; only its message, never its extra fields, when words are private."""

    def __init__(self, words: bool) -> None:
        super().__init__()
        self._words = words
        self._render = structlog.processors.JSONRenderer(ensure_ascii=False)

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, Any] = {
            "event": record.getMessage(),
            "logger": record.name,
            "level": record.levelname.lower(),
            "timestamp": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
        }
        if record.exc_info and record.exc_info[0] is not None:
            kind = record.exc_info[0].__name__
            event["exception"] = self.formatException(record.exc_info) if self._words else kind
        return str(self._render(None, "", event))


def get(name: str) -> Any:
    """A logger; bind the call's id once per call."""
    return structlog.get_logger(module=name)

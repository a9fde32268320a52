"""Configuration as files: read a folder, see what it would change, apply it, write it."""

from .applying import Change, apply, plan
from .export import Exported, export
from .files import Loaded, LoadedFile, check_document, check_file, load

__all__ = [
    "Change",
    "Exported",
    "Loaded",
    "LoadedFile",
    "apply",
    "check_document",
    "check_file",
    "export",
    "load",
    "plan",
]

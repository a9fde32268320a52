"""The files of documents as they were given, under the digests of their contents: taken in a piece at a time, whole or
not at all. Everything here blocks.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Container, Iterator
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path, PurePosixPath
from typing import IO

from .failures import DocumentRefused, IndexFailed
from .passages import clean
from .reading.process import MAX_BYTES, too_big

ORPHAN_SECONDS = 3_600.0
"""An original that no row names is removed when it is this old."""
MAX_NAME = 400
_CHUNK = 1024 * 1024
"""Bytes of a file that are in memory at once."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file whose content is among the originals: bytes, and their digest. No document has it yet."""

    name: str
    size: int
    sha256: str


class Originals:
    """Of one installation. The folder is made when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def at(self, path: Path, name: str) -> Kept:
        """Take a copy of the file at a path. Raises DocumentRefused: too big, or it cannot be read; IndexFailed."""
        try:
            with path.open("rb") as file:
                if (size := os.fstat(file.fileno()).st_size) > MAX_BYTES:
                    raise too_big(size)
                return self.of(file, name)
        except OSError as error:
            raise DocumentRefused("unreachable", f"{path} cannot be read: {error.strerror}.") from None

    def of(self, file: IO[bytes], name: str) -> Kept:
        """Take a copy of an open file, from where it stands. Raises DocumentRefused: too big; IndexFailed: no room."""
        with self._new() as copy:
            size, digest = 0, hashlib.sha256()
            while chunk := file.read(_CHUNK):
                size += len(chunk)
                if size > MAX_BYTES:
                    raise too_big(size)
                digest.update(chunk)
                copy.write(chunk)
            copy.settle(digest.hexdigest())
        return Kept(name_of(name), size, digest.hexdigest())

    def put(self, name: str, data: bytes) -> Path:
        """Keep what came from elsewhere under a name. Raises DocumentRefused: too big; IndexFailed: no room."""
        if len(data) > MAX_BYTES:
            raise too_big(len(data))
        with self._new() as copy:
            copy.write(data)
            copy.settle(name)
        return self.folder / name

    def tidy(self, kept: Container[str]) -> None:
        """Remove what no document has."""
        remove_old(self.folder, kept)

    @contextlib.contextmanager
    def _new(self) -> Iterator[_Copy]:
        """A file beside the originals that is gone afterwards, unless it was settled. Raises IndexFailed: no room."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor, made = tempfile.mkstemp(dir=self.folder)
        except OSError as error:
            raise _no_room(error) from error
        try:
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                yield _Copy(file, Path(made))
        finally:
            Path(made).unlink(missing_ok=True)


class _Copy:
    """A file that is being written. Everything raises IndexFailed: no room."""

    def __init__(self, file: RawIOBase, path: Path) -> None:
        self._file = file
        self._path = path

    def write(self, data: bytes) -> None:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
        except OSError as error:
            raise _no_room(error) from error

    def settle(self, name: str) -> None:
        """Give it its name, in place of what has it."""
        try:
            os.fsync(self._file.fileno())
            os.replace(self._path, self._path.with_name(name))
        except OSError as error:
            raise _no_room(error) from error


def name_of(path: str) -> str:
    """What a document is called whose file was at a path, of any system: its last part, on one line.

    >>> name_of("../../etc/Prix 2026.pdf")
    'Prix 2026.pdf'
    """
    last = PurePosixPath(path.replace("\\", "/").replace("\n", " ")).name
    return clean(last)[:MAX_NAME].strip() or "document"


def name_of_page(url: str) -> str:
    """What a web page is called: its URL, or as much of a longer one as tells it from others."""
    if len(url) <= MAX_NAME:
        return url
    return f"{url[: MAX_NAME - 17]}#{hashlib.sha256(url.encode()).hexdigest()[:16]}"


def remove_old(folder: Path, kept: Container[str]) -> None:
    """Remove the files of a folder that are not kept, once they are :data:`ORPHAN_SECONDS` old."""
    for path in folder.glob("*"):
        with contextlib.suppress(FileNotFoundError):
            if path.name not in kept and path.stat().st_mtime < time.time() - ORPHAN_SECONDS:
                path.unlink(missing_ok=True)


def _no_room(error: OSError) -> IndexFailed:
    return IndexFailed(
        f"the file cannot be kept: {error.strerror}.", hint="Check that the disk of the data directory is not full."
    )

"""What a file is, judged by its content; its name decides only between kinds of text. Pure."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import PurePosixPath
from typing import Literal

from ..failures import DocumentRefused

Kind = Literal["pdf", "docx", "html", "markdown", "csv", "text"]

MAX_MEMBERS = 5_000
MAX_UNPACKED = 200_000_000
MAX_RATIO = 200
"""Times that a member of a DOCX file may grow when it is unpacked; text of real documents grows 5 to 30 times."""
LOOKED_AT = 4_096

_HTML = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
_BY_NAME: dict[str, Kind] = {
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".md": "markdown",
    ".markdown": "markdown",
    ".csv": "csv",
    ".tsv": "csv",
}
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*", b"RIFF")
_KINDS = "Give a PDF, DOCX, HTML, Markdown, text or CSV file."


def kind_of(name: str, data: bytes) -> Kind:
    """Raises DocumentRefused: empty, or nothing that can be read."""
    if not data.strip(b"\x00\t\n\r \xef\xbb\xbf"):
        raise DocumentRefused("empty", "The file is empty.")
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped(data)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise DocumentRefused(
            "unknown_kind", "The file is of an old Office program, or an encrypted document.", hint="Save it as DOCX."
        )
    if data.startswith(b"{\\rtf"):
        raise DocumentRefused("unknown_kind", "The file is RTF.", hint="Save it as DOCX.")
    if data.startswith(_PICTURES):
        raise DocumentRefused("unknown_kind", "The file is a picture or a sound.", hint=_KINDS)
    head = data[:LOOKED_AT]
    if _HTML.match(head.decode("latin-1").removeprefix("ï»¿")):
        return "html"
    if b"\x00" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DocumentRefused("unknown_kind", "The file is not text, nor a document of a kind we read.", hint=_KINDS)
    return _BY_NAME.get(PurePosixPath(name.lower()).suffix, "text")


def _zipped(data: bytes) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise DocumentRefused("damaged", "The file is damaged: its archive cannot be opened.") from None
    names = {member.filename for member in members}
    if "word/document.xml" not in names:
        workbook = any(name.startswith("xl/") for name in names)
        what = "a workbook" if workbook else "an archive"
        raise DocumentRefused("unknown_kind", f"The file is {what}.", hint="Save it as CSV." if workbook else _KINDS)
    unpacked = sum(member.file_size for member in members)
    heavy = any(member.file_size > 1_000_000 + MAX_RATIO * member.compress_size for member in members)
    if len(members) > MAX_MEMBERS or unpacked > MAX_UNPACKED or heavy:
        raise DocumentRefused(
            "too_heavy",
            "The file would unpack to far more than a document holds.",
            hint="Save it again in your word processor.",
        )
    if any(member.flag_bits & 0x1 for member in members):
        raise DocumentRefused("encrypted", "The file is encrypted.", hint="Save it without a password.")
    return "docx"

"""Documents made here, byte by byte: nothing that a reading library would have to write first."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
_RELATIONS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)


def pdf(pages: Sequence[str]) -> bytes:
    """A PDF with a line of text on each page (Latin-1)."""
    contents = [f"BT /F1 12 Tf 72 720 Td ({page}) Tj ET".encode("latin-1") if page else b"" for page in pages]
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    return _pdf(contents, b"<< /Font << /F1 3 0 R >> >>", [font])


def scanned_pdf() -> bytes:
    """A page that is a picture."""
    picture = b"<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 "
    picture += b"/Length 1 >>\nstream\n\x80\nendstream"
    return _pdf([b"600 0 0 800 0 0 cm /Im Do"], b"<< /XObject << /Im 3 0 R >> >>", [picture])


def encrypted_pdf() -> bytes:
    """A PDF that asks for a password nobody has."""
    plain = pdf(["Secret"])
    guard = b"/Encrypt << /Filter /Standard /V 1 /R 2 /Length 40 /P -4 /O <" + b"41" * 32 + b"> /U <" + b"42" * 32
    guard += b"> >> /ID [<" + b"43" * 16 + b"> <" + b"43" * 16 + b">] "
    return plain.replace(b"trailer\n<< ", b"trailer\n<< " + guard)


def _pdf(contents: Sequence[bytes], resources: bytes, extra: Sequence[bytes]) -> bytes:
    first = 3 + len(extra)
    kids = " ".join(f"{first + 2 * number} 0 R" for number in range(len(contents)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(contents)} >>".encode(),
    ]
    objects += extra
    for number, content in enumerate(contents):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources "
            + resources
            + f" /Contents {first + 2 * number + 1} 0 R >>".encode()
        )
        objects.append(f"<< /Length {len(content)} >>\nstream\n".encode() + content + b"\nendstream")
    made, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(made))
        made += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    return (
        made
        + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
        + table
        + f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(made)}\n%%EOF\n".encode()
    )


def docx(
    paragraphs: Sequence[tuple[str, str]], *, extra: Mapping[str, bytes] | None = None, document: bytes | None = None
) -> bytes:
    """A DOCX of (style, text) paragraphs; a style may be empty."""
    written = "".join(
        "<w:p>"
        + (f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else "")
        + f"<w:r><w:t>{text}</w:t></w:r></w:p>"
        for style, text in paragraphs
    )
    whole = f'<?xml version="1.0"?><w:document {_W}><w:body>{written}</w:body></w:document>'.encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("_rels/.rels", _RELATIONS)
        archive.writestr("word/document.xml", document if document is not None else whole)
        for name, data in (extra or {}).items():
            archive.writestr(name, data)
    return buffer.getvalue()

"""PDF, DOCX and HTML as sections, by the libraries that know them. Run inside ``process`` only: bytes are hostile."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from ..failures import DocumentRefused
from . import text
from .kinds import Kind, kind_of
from .sections import Content, Section

MAX_PAGES = 5_000

_DROPPED = (
    "script style noscript template svg math iframe object embed canvas audio video form button input select textarea "
    "nav footer aside dialog"
).split()


def read(name: str, data: bytes, progress: Callable[[int], None] = lambda percent: None) -> Content:
    """A document of any kind as text.

    Args:
        progress: told how many percent are done, where that is known.

    Raises:
        DocumentRefused: with the reason. Anything else that is raised means the document is damaged.
    """
    kind = kind_of(name, data)
    content = _READERS[kind](data, progress)
    if not any(section.text.strip() for section in content.sections):
        raise DocumentRefused("no_text", "The document holds no text.")
    return content


def _pdf(data: bytes, progress: Callable[[int], None]) -> Content:
    import pypdfium2  # type: ignore[import-untyped]

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower() or "security" in str(error).lower():
            raise DocumentRefused(
                "encrypted", "The PDF is encrypted.", hint="Save it without a password, or print it to a new PDF."
            ) from None
        raise DocumentRefused("damaged", "The PDF is damaged.", hint="Print it to a new PDF.") from None
    pages = len(document)
    if pages > MAX_PAGES:
        raise DocumentRefused("too_big", f"The PDF has over {MAX_PAGES} pages.", hint="Split it.")
    sections, pictures = [], 0
    for index in range(pages):
        try:
            page = document[index]
            words = page.get_textpage().get_text_bounded()
            if not words.strip():
                pictures += any(True for _ in page.get_objects(max_depth=2))
        except pypdfium2.PdfiumError:
            continue  # one broken page leaves the others
        if words.strip():
            sections.append(Section(f"page {index + 1}", words.replace("\r\n", "\n").replace("\ufffe", "")))
        progress((index + 1) * 100 // pages)
    if not sections:
        if pictures:
            raise DocumentRefused(
                "scanned",
                "The PDF holds pictures of pages and no text.",
                hint="Have text recognised in it (OCR) first.",
            )
        raise DocumentRefused("no_text", "The PDF holds no text.")
    return Content(_title(document), sections)


def _title(document: Any) -> str:
    try:
        return str(document.get_metadata_dict().get("Title", "")).strip()
    except Exception:  # a title that cannot be read is none
        return ""


def _docx(data: bytes, progress: Callable[[int], None]) -> Content:
    import mammoth  # type: ignore[import-untyped]

    made = mammoth.convert_to_html(io.BytesIO(data), convert_image=mammoth.images.img_element(lambda image: {}))
    progress(60)
    return _html_text(made.value, dropped=("img",))


def _html(data: bytes, progress: Callable[[int], None]) -> Content:
    return _html_text(data, dropped=_DROPPED)


def _html_text(source: str | bytes, dropped: tuple[str, ...] | list[str]) -> Content:
    from bs4 import BeautifulSoup
    from markdownify import MarkdownConverter

    soup = BeautifulSoup(source, "html.parser")  # finds the encoding of bytes: mark, meta, else a guess
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    headers = [header for header in soup("header") if not header.find_parent(["main", "article"])]
    for element in (*soup(["title", "link", "meta", *dropped]), *soup.select("[hidden]"), *headers):
        if not element.decomposed:
            element.decompose()
    main = soup.find("main") or soup.find("article") or soup
    if not main.get_text(strip=True):
        main = soup
    converter = MarkdownConverter(heading_style="atx", strip=["a", "img"], escape_misc=False)
    content = text.markdown(str(converter.convert_soup(main)))
    return Content(title or content.title, content.sections)


_READERS: dict[Kind, Callable[[bytes, Callable[[int], None]], Content]] = {
    "pdf": _pdf,
    "docx": _docx,
    "html": _html,
    "markdown": lambda data, _progress: text.markdown(text.decode(data)),
    "csv": lambda data, _progress: text.table(text.decode(data)),
    "text": lambda data, _progress: text.plain(text.decode(data)),
}

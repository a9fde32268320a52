"""Documents become passages: every kind, and every bad one refused with a reason a person can act on."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from parlons.knowledge.failures import DocumentRefused
from parlons.knowledge.passages import MAX_CHARACTERS, MAX_WORDS, Passage, clean, passages
from parlons.knowledge.reading import kinds, process
from parlons.knowledge.reading.process import MAX_BYTES, Limits
from parlons.knowledge.reading.sections import Content, Section

from . import samples


async def read(folder: Path, name: str, data: bytes, **options: Any) -> list[Passage]:
    path = folder / "original"
    path.write_bytes(data)
    return passages(await process.read(name, path, **options), name)


async def refused(folder: Path, name: str, data: bytes, **options: Any) -> DocumentRefused:
    with pytest.raises(DocumentRefused) as caught:
        await read(folder, name, data, **options)
    return caught.value


async def test_a_pdf_gives_its_pages(tmp_path: Path) -> None:
    told: list[int] = []
    made = await read(
        tmp_path, "tarifs.pdf", samples.pdf(["Le loyer est de cent euros.", "", "Page trois."]), progress=told.append
    )
    assert [(p.position, p.text) for p in made] == [
        ("page 1", "Le loyer est de cent euros."),
        ("page 3", "Page trois."),
    ]
    assert told == [33, 66, 100]


async def test_a_docx_gives_its_headings(tmp_path: Path) -> None:
    made = await read(tmp_path, "a.docx", samples.docx([("Heading1", "Horaires"), ("", "Ouvert de neuf à midi.")]))
    assert made == [Passage("Horaires", "Horaires", "Ouvert de neuf à midi.")]


async def test_html_gives_its_text_without_menus_scripts_and_styles(tmp_path: Path) -> None:
    page = """<!doctype html><html><head><title>Nos tarifs</title><style>p {color: red}</style></head><body>
      <header>Accueil Contact</header><nav><a href="/">Menu</a></nav><script>alert('piège')</script>
      <h1>Tarifs</h1><p>Une visite coûte <b>dix</b> euros.</p><h2>Enfants</h2><ul><li>Moitié prix</li></ul>
      <table><tr><th>Jour</th><th>Prix</th></tr><tr><td>Lundi</td><td>3</td></tr></table>
      <p hidden>caché</p><footer>Mentions légales</footer></body></html>"""
    made = await read(tmp_path, "page.html", page.encode())
    text = "\n".join(p.text for p in made)
    assert {p.title for p in made} == {"Nos tarifs"}
    assert made[0].position == "Tarifs"
    assert "Une visite coûte dix euros." in text
    assert "Lundi 3" in text
    for dropped in ("Menu", "piège", "color", "Mentions", "Accueil", "caché", "**", "|"):
        assert dropped not in text


async def test_the_heading_of_an_article_stays(tmp_path: Path) -> None:
    page = "<html><body><article><header><h1>Retours</h1></header><p>Trente jours.</p></article></body></html>"
    assert (await read(tmp_path, "a.html", page.encode())) == [Passage("Retours", "Retours", "Trente jours.")]


async def test_markdown_gives_headings_and_no_marks(tmp_path: Path) -> None:
    text = "# Guide\n\nSee [the page](https://example.com) and **this**.\n\n```\n# no heading\n```\n"
    assert await read(tmp_path, "a.md", text.encode()) == [
        Passage("Guide", "Guide", "See the page and this.\n\n# no heading")
    ]


async def test_a_table_gives_its_rows(tmp_path: Path) -> None:
    made = await read(tmp_path, "prix.csv", "Soin;Prix\nDétartrage;28 €\n;\nCouronne;500 €".encode("cp1252"))
    assert [(p.position, p.text) for p in made] == [
        ("row 2", "Soin: Détartrage\nPrix: 28 €"),
        ("row 3", "Soin: Couronne\nPrix: 500 €"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.md"])
async def test_text_in_the_encodings_people_have(tmp_path: Path, encoding: str, name: str) -> None:
    made = await read(tmp_path, name, "# Été\n« Où réserver ? » coûte 5 €".encode(encoding))
    assert "« Où réserver ? » coûte 5 €" in made[0].text


async def test_html_says_its_own_encoding(tmp_path: Path) -> None:
    page = "<html><head><meta charset='windows-1252'></head><body><p>Été à 5 €</p></body></html>"
    assert (await read(tmp_path, "a.html", page.encode("cp1252")))[0].text == "Été à 5 €"


@pytest.mark.parametrize("name", ["wrong.txt", "wrong.docx", "no_ending", "wrong.html"])
async def test_a_wrong_ending_does_no_harm(tmp_path: Path, name: str) -> None:
    assert (await read(tmp_path, name, samples.pdf(["Bonjour à tous."])))[0].text == "Bonjour à tous."


async def test_a_name_cannot_be_an_option_or_a_path(tmp_path: Path) -> None:
    for name in ("--help/../../x.md", "a\x00b.md", "a\ud800.md", "x" * 5_000 + ".md"):
        assert (await read(tmp_path, name, b"# T\nwords"))[0].text == "words"


# -- bad ones --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"  \n\t ", b"\xef\xbb\xbf\n", b"\x00" * 100])
async def test_empty(tmp_path: Path, data: bytes) -> None:
    assert (await refused(tmp_path, "a.txt", data)).reason == "empty"


async def test_an_encrypted_pdf(tmp_path: Path) -> None:
    error = await refused(tmp_path, "a.pdf", samples.encrypted_pdf())
    assert error.reason == "encrypted"
    assert "password" in error.hint


async def test_a_scanned_pdf(tmp_path: Path) -> None:
    error = await refused(tmp_path, "a.pdf", samples.scanned_pdf())
    assert error.reason == "scanned"
    assert "OCR" in error.hint


async def test_a_pdf_with_blank_pages_only(tmp_path: Path) -> None:
    assert (await refused(tmp_path, "a.pdf", samples.pdf([""]))).reason == "no_text"


@pytest.mark.parametrize("cut", [10, 200, 400])
async def test_a_pdf_cut_short(tmp_path: Path, cut: int) -> None:
    assert (await refused(tmp_path, "a.pdf", samples.pdf(["Bonjour"])[:cut])).reason in ("damaged", "no_text")


async def test_html_with_scripts_only(tmp_path: Path) -> None:
    page = b"<html><head><title>App</title></head><body><div id='root'></div><script>run()</script></body></html>"
    assert (await refused(tmp_path, "a.html", page)).reason == "no_text"


async def test_one_byte_too_many(tmp_path: Path) -> None:
    error = await refused(tmp_path, "a.txt", b"a" * (MAX_BYTES + 1))
    assert error.reason == "too_big"
    assert "50 MB" in error.message


async def test_exactly_as_many_bytes_as_allowed_are_read_or_refused_for_their_text(tmp_path: Path) -> None:
    path = tmp_path / "original"
    path.write_bytes(b"word " * (MAX_BYTES // 5))
    error = await refused(tmp_path, "a.txt", path.read_bytes())
    assert "characters" in error.message


async def test_a_zip_bomb(tmp_path: Path) -> None:
    made = samples.docx([("", "x")], extra={"word/media/bomb.xml": b"\x00" * 300_000_000})
    assert len(made) < 1_000_000
    assert (await refused(tmp_path, "a.docx", made)).reason == "too_heavy"


async def test_a_text_that_unpacks_a_thousand_times(tmp_path: Path) -> None:
    made = samples.docx([("", "a" * 50_000_000)])
    assert (await refused(tmp_path, "a.docx", made)).reason == "too_heavy"


async def test_an_archive_with_thousands_of_members(tmp_path: Path) -> None:
    extra = {f"word/media/{number}": b"" for number in range(kinds.MAX_MEMBERS + 1)}
    assert (await refused(tmp_path, "a.docx", samples.docx([("", "x")], extra=extra))).reason == "too_heavy"


async def test_other_archives_and_workbooks(tmp_path: Path) -> None:
    for member, what in (("xl/workbook.xml", "workbook"), ("anything.txt", "archive")):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(member, "x")
        error = await refused(tmp_path, "a.docx", buffer.getvalue())
        assert error.reason == "unknown_kind"
        assert what in error.message


@pytest.mark.parametrize(
    "data",
    [b"\x89PNG\r\n\x1a\n....", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", b"{\\rtf1 hello}", b"\x7fELF\x00\x00\x01"],
)
async def test_what_is_no_document(tmp_path: Path, data: bytes) -> None:
    assert (await refused(tmp_path, "a.pdf", data)).reason == "unknown_kind"


async def test_a_damaged_docx(tmp_path: Path) -> None:
    made = bytearray(samples.docx([("", "Bonjour" * 1000)]))
    assert (await refused(tmp_path, "a.docx", bytes(made[: len(made) // 2]))).reason == "damaged"
    broken = samples.docx([], document=b"<w:document")
    assert (await refused(tmp_path, "a.docx", broken)).reason == "damaged"


async def test_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    assert (await refused(tmp_path, "a.csv", b'a,b\n1,"' + b"x\n" * 200_000)).reason == "damaged"


async def test_elements_nested_without_end(tmp_path: Path) -> None:
    assert (await refused(tmp_path, "a.html", b"<html>" + b"<div>" * 20_000 + b"x")).reason == "too_heavy"


async def test_reading_that_takes_too_much_memory(tmp_path: Path) -> None:
    page = b"<html>" + b"<p>x</p>" * 200_000
    assert (await refused(tmp_path, "a.html", page, limits=Limits(memory=150_000_000))).reason == "too_heavy"


async def test_reading_that_takes_too_much_processor_time(tmp_path: Path) -> None:
    page = b"<html>" + b"<p>x</p>" * 2_000_000
    error = await refused(tmp_path, "a.html", page, limits=Limits(cpu_seconds=1))
    assert error.reason == "too_heavy"
    assert "time" in error.message


async def test_reading_that_takes_too_long_by_the_clock(tmp_path: Path) -> None:
    page = b"<html>" + b"<p>x</p>" * 2_000_000
    began = time.monotonic()
    assert (await refused(tmp_path, "a.html", page, limits=Limits(seconds=0.5))).reason == "too_heavy"
    assert time.monotonic() - began < 10


async def test_the_reader_sees_none_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a secret")
    monkeypatch.setenv("PARLONS_SECRET_KEY", "another")
    assert "secret" not in str(process.environment())
    assert "another" not in str(process.environment())


# -- passages --------------------------------------------------------------------------------------------------


def test_passages_are_short_and_lose_no_word() -> None:
    words = [f"mot{number}" for number in range(1_000)]
    text = " ".join(word + ("." if number % 17 == 0 else "") for number, word in enumerate(words))
    made = passages(Content("", [Section("", text)]), "a.txt")
    assert " ".join(p.text for p in made).replace(".", "").split() == words
    assert max(len(p.text.split()) for p in made) <= MAX_WORDS
    assert [p.position for p in made][:2] == ["part 1", "part 2"]


def test_scripts_without_spaces_are_cut_too() -> None:
    made = passages(Content("", [Section("", "返品は三十日以内にお願いします。" * 400)]), "a.txt")
    assert len(made) > 1
    assert max(len(p.text) for p in made) <= MAX_CHARACTERS


def test_a_short_section_goes_with_the_one_below_it() -> None:
    made = passages(Content("T", [Section("A", "Short."), Section("A > B", "Below it."), Section("C", "Beside.")]), "x")
    assert [(p.position, p.text) for p in made] == [("A", "Short.\n\nB: Below it."), ("C", "Beside.")]


def test_text_that_no_store_takes_is_cleaned() -> None:
    assert clean("a\x00b\ud800c\x1bd\u2028e\r\nf  g\n\n\n\nh") == "a b\ufffdc d e\nf g\n\nh"

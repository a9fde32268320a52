"""CSV files as people and spreadsheets make them, answered row by row."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parlons.agents.actions import MAX_DESTINATIONS, Destination, TransferAction
from parlons.agents.number_import import (
    MAX_BYTES,
    MAX_ROWS,
    Import,
    Row,
    Separator,
    add,
    addresses,
    export,
    read,
    template,
)
from parlons.errors import ConfigurationError

ONE, TWO, THREE = "+33612345678", "+33123456789", "+442079460958"


def told(found: Import) -> list[tuple[int, str, str | None]]:
    return [(row.line, row.outcome, row.phone) for row in found.rows]


def only(data: str | bytes, country: str | None = None, known: Iterable[str] = ()) -> Row:
    """The answer to a file of one row."""
    found = read(data.encode() if isinstance(data, str) else data, country=country, known=set(known))
    assert len(found.rows) == 1
    return found.rows[0]


def phones(count: int, national: bool = False) -> list[str]:
    return [f"{'0' if national else '+33'}61{n:07d}" for n in range(count)]


# -- files that cannot be read at all ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "about"),
    [
        (b"", "The file is empty. The first row must hold the headings"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\r\n \r\n;;\n", "is empty"),
        (b"sep=;\r\n", "is empty"),
        (b"+33612345678,Support\n", r"line 1: no column is called phone \(found: \+33612345678,Support\)"),
        (b"\n\nnumber,description\n+33612345678,x\n", "line 3: no column is called phone"),
        (b"number;name\n+33612345678;x\n", "no column is called phone"),
        (b"phone,Phone \n1,2\n", "Two columns are called phone"),
        (b"phone,description,D\xc3\xa9scription\n1,2,3\n", "Two columns are called description"),
        (b"phone|description\n+33612345678|x\n", "no column is called phone"),
        ("phone\n+33612345678\n".encode("utf-16"), "UTF-16.*CSV UTF-8"),
        (b"\xfe\xff" + "phone\n".encode("utf-16-be"), "UTF-16"),
        ("phone\n+33612345678\n".encode("utf-16-le"), "zero bytes.*CSV UTF-8"),
        (b"PK\x03\x04\x14\x00", "a workbook, not a CSV file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a workbook"),
        (b"phone,description\n+33612345678,\x81\n", r"neither UTF-8 nor Windows-1252 \(line 2\)"),
        (b"\xef\xbb\xbfphone,description\n+33612345678,caf\xe9\n", "says that it is UTF-8, and line 2 is not"),
        (b'"phone,description\n+33612345678,x\n', "no column is called phone"),
    ],
)
def test_a_file_that_cannot_be_read_says_why_and_the_fix(data: bytes, about: str) -> None:
    with pytest.raises(ConfigurationError, match=about) as caught:
        read(data)
    assert caught.value.hint


def test_one_byte_too_many() -> None:
    row = b"phone\n+33612345678\n"
    assert read(row + b"\n" * (MAX_BYTES - len(row))).count("accepted") == 1
    with pytest.raises(ConfigurationError, match=r"5,242,881 bytes; at most 5,242,880.*Split"):
        read(row + b"\n" * (MAX_BYTES + 1 - len(row)))


def test_far_too_many_rows() -> None:
    with pytest.raises(ConfigurationError, match=r"more than 100,000 rows\. Split"):
        read(b"phone\n" + b"1\n" * (MAX_ROWS + 1))


def test_an_unknown_country() -> None:
    with pytest.raises(ConfigurationError, match=r"country: 'France' .*as in FR"):
        read(b"phone\n", country="France")


# -- rows that are refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "about"),
    [
        ("0612345678", "phone: neither international nor of a named country.*name the country"),
        ('"3,36E+10"', "phone: shortened by a spreadsheet"),
        ("3.36123E+10", "phone: shortened by a spreadsheet"),
        ("=1+1", "phone: a formula"),
        ('"=HYPERLINK(""http://x"")"', "phone: a formula"),
        ('"=""+33612345678"""', "phone: a formula"),
        ("+A1", "phone: a formula"),
        ("+SUM(A1:A9)", "phone: a formula"),
        ("+33612345678*2", "phone: a formula"),
        ("-33612345678", "phone: a formula"),
        ("@SUM(1)", "phone: a formula"),
        ("＝1+1", "phone: a formula"),
        ("'=1+1", "phone: a formula"),
        ("Support", "phone: not only digits"),
        ("+33123456789 poste 12", "phone: not only digits.*SIP connection"),
        ("+33 6 12 34", "phone: too short in France"),
    ],
)
def test_a_refused_row_names_the_column_and_the_fix(cell: str, about: str) -> None:
    row = only(f"phone,description\n{cell},Support\n")
    assert row.outcome == "refused"
    assert re.search(about, row.reason)
    assert (row.line, row.description) == (2, "Support")


def test_a_row_without_phone() -> None:
    row = only("phone,description\n,Support\n")
    assert (row.outcome, row.value) == ("refused", "")
    assert row.reason.startswith("phone: empty")
    assert only("description,phone\nSupport\n").reason.startswith("phone: empty")


def test_a_description_that_is_too_long() -> None:
    assert only(f"phone,description\n{ONE},{'é' * 500}\n").outcome == "accepted"
    row = only(f"phone,description\n{ONE},{'é' * 501}\n")
    assert (row.outcome, row.phone) == ("refused", ONE)
    assert row.reason == "description: 501 characters, at most 500: shorten it"


def test_a_separator_in_an_unquoted_description_is_not_cut_in_silence() -> None:
    row = only(f"phone,description\n{ONE},Support, Lyon\n")
    assert row.outcome == "refused"
    assert "3 cells under 2 headings" in row.reason
    assert only(f"phone,description\n{ONE},Support,,\n").outcome == "accepted"


def test_rows_with_another_separator_than_the_headings() -> None:
    assert only(f"phone,description\n{ONE};Support\n").outcome == "refused"


def test_a_long_cell_is_not_repeated_whole() -> None:
    assert len(only("phone\n" + "x" * 4000 + "\n").value) == 100


def test_a_quote_that_is_never_closed_costs_its_own_row_only() -> None:
    data = f'phone,description\n{ONE},"Support\n{TWO},Ventes\n{THREE},Lyon\n'
    found = read(data.encode())
    assert told(found) == [(2, "refused", None), (3, "accepted", TWO), (4, "accepted", THREE)]
    assert "a quote is never closed" in found.rows[0].reason
    assert found.rows[0].value == f'{ONE},"Support'


def test_a_quote_that_the_next_row_closes_swallows_nothing() -> None:
    data = f'phone,description\n{ONE},"Support\n{TWO},"Ventes"\n{THREE},"Le "petit" bureau"\n+33161000000,x\n'
    found = read(data.encode())
    assert told(found) == [
        (2, "refused", None),
        (3, "accepted", TWO),
        (4, "refused", None),
        (5, "accepted", "+33161000000"),
    ]
    assert [d.description for d in found.accepted] == ["Ventes", "x"]


def test_a_quote_that_is_never_closed_in_a_long_file() -> None:
    rows = "".join(f"{phone},x\n" for phone in phones(2000))
    found = read(f'phone,description\n+33123456789,"Support\n{rows}"\n'.encode())
    assert (found.rows[0].line, found.rows[0].outcome) == (2, "refused")
    assert found.count("accepted") == 2000


def test_a_bad_row_never_stops_the_good_ones() -> None:
    data = f"phone,description\n{ONE},a\nno,b\n{TWO},c\n=1,d\n,e\n{THREE},f\n"
    assert told(read(data.encode())) == [
        (2, "accepted", ONE),
        (3, "refused", None),
        (4, "accepted", TWO),
        (5, "refused", None),
        (6, "refused", None),
        (7, "accepted", THREE),
    ]


# -- rows that are accepted ----------------------------------------------------------------------------------------


def test_a_plain_file() -> None:
    found = read(f"phone,description\n{ONE},Support technique\n{TWO},\n".encode())
    assert found.accepted == [
        Destination(phone=ONE, description="Support technique"),
        Destination(phone=TWO, description=""),
    ]
    assert [row.reason for row in found.rows] == ["", ""]
    assert (found.separator, found.encoding, found.ignored_columns) == (",", "UTF-8", ())


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(("encoding", "name"), [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("cp1252", "Windows-1252")])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_separators_encodings_and_line_ends(separator: str, encoding: str, name: str, newline: str) -> None:
    rows = [["phone", "description"], [ONE, "Hélène œuvre à 5 €"], [TWO, f'dit "{separator}"']]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=newline).writerows(rows)
    found = read(text.getvalue().encode(encoding))
    assert [d.description for d in found.accepted] == ["Hélène œuvre à 5 €", f'dit "{separator}"']
    assert [row.line for row in found.rows] == [2, 3]
    assert (found.separator, found.encoding) == (separator, name)


@pytest.mark.parametrize(
    "heading",
    ["phone,description", "Phone,Description", " PHONE , Déscription ", '"phone","description"', "Pho ne,DESCRIPTION"],
)
def test_headings_in_any_dress(heading: str) -> None:
    row = only(f"{heading}\n{ONE},Support\n")
    assert (row.outcome, row.description) == ("accepted", "Support")


def test_columns_in_any_order_and_others_left_out() -> None:
    found = read(f"Nom;description;Service;phone;\nA;Support;x;{ONE};\n".encode())
    assert found.accepted == [Destination(phone=ONE, description="Support")]
    assert found.ignored_columns == ("Nom", "Service")


def test_phone_alone() -> None:
    assert only(f"phone\n{ONE}\n").phone == ONE


def test_the_line_that_tells_excel_the_separator() -> None:
    row = only(f"sep=;\r\nphone;description\r\n{ONE};Support, Lyon\r\n")
    assert (row.line, row.description) == (3, "Support, Lyon")


def test_no_newline_at_the_end() -> None:
    assert only(f"phone,description\n{ONE},Support").description == "Support"
    assert only(f'phone,description\n{ONE},"Support"').description == "Support"


def test_lines_are_those_of_the_file() -> None:
    data = f'\nphone,description\n\n{ONE},"two\nlines"\n\n;;\n{TWO},\u2028one\x0b\n"{THREE}",x\n'
    found = read(data.encode())
    assert [(row.line, row.outcome) for row in found.rows] == [
        (4, "accepted"),
        (7, "refused"),
        (8, "accepted"),
        (9, "accepted"),
    ]
    assert found.accepted[0].description == "two\nlines"


def test_the_description_is_kept_as_written() -> None:
    for words in ("=1+1", "+33 urgent", "@home", "'quoted", "-"):
        assert only(f"phone,description\n{ONE},{words}\n").description == words


def test_digits_without_their_plus_are_shown_as_read() -> None:
    row = only("phone\n33612345678\n")
    assert (row.outcome, row.phone, row.reason) == ("accepted", ONE, f"read as {ONE}")
    assert row.value == "33612345678"


def test_a_tidy_number_needs_no_remark() -> None:
    assert only("phone\n+33 6 12 34 56 78\n").reason == ""
    assert only("phone\n'+33612345678\n").reason == ""


def test_national_numbers_of_the_named_country() -> None:
    row = only("phone\n06 12 34 56 78\n", country="fr")
    assert (row.outcome, row.phone, row.reason) == ("accepted", ONE, f"read as {ONE}")


# -- duplicates and the limit --------------------------------------------------------------------------------------


def test_a_known_number_keeps_its_description() -> None:
    existing = [Destination(phone=ONE, description="Accueil"), Destination(extension="204", description="Poste")]
    found = read(
        f"phone,description\n0612345678,Autre\n{TWO},Support\n".encode(), country="FR", known=addresses(existing)
    )
    assert told(found) == [(2, "duplicate", ONE), (3, "accepted", TWO)]
    assert "keeps its description" in found.rows[0].reason
    assert add(existing, found.accepted) == [*existing, Destination(phone=TWO, description="Support")]


def test_the_first_of_two_equal_rows_is_kept() -> None:
    found = read(f"phone,description\n{ONE},first\n33 6 12 34 56 78,second\n".encode())
    assert told(found) == [(2, "accepted", ONE), (3, "duplicate", ONE)]
    assert "line 2" in found.rows[1].reason
    assert [d.description for d in found.accepted] == ["first"]


def test_a_refused_row_does_not_make_the_next_one_a_duplicate() -> None:
    found = read(f"phone,description\n{ONE},{'x' * 501}\n{ONE},short\n".encode())
    assert [row.outcome for row in found.rows] == ["refused", "accepted"]


def test_rows_beyond_the_limit_are_refused_with_that_reason() -> None:
    known = [f"ext{n}" for n in range(MAX_DESTINATIONS - 2)]
    found = read("\n".join(["phone", *phones(4), phones(1)[0]]).encode(), known=known)
    assert [row.outcome for row in found.rows] == ["accepted", "accepted", "refused", "refused", "duplicate"]
    assert "at most 10,000 destinations" in found.rows[2].reason
    assert len(known) + len(found.accepted) == MAX_DESTINATIONS


def test_adding_changes_nothing_it_was_given() -> None:
    existing = [Destination(phone=ONE, description="a")]
    assert add(existing, [Destination(phone=ONE, description="b"), Destination(phone=TWO), Destination(phone=TWO)]) == [
        Destination(phone=ONE, description="a"),
        Destination(phone=TWO),
    ]
    assert existing == [Destination(phone=ONE, description="a")]


def test_adding_too_many_is_refused_whole() -> None:
    full = [Destination(extension=str(n)) for n in range(MAX_DESTINATIONS)]
    assert len(add(full, [full[0]])) == MAX_DESTINATIONS
    with pytest.raises(ValueError, match=r"destinations: 10,001 in all.*10,000"):
        add(full, [Destination(phone=ONE)])


# -- ten thousand rows ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("national", [False, True])
def test_ten_thousand_rows_of_excel_in_french(national: bool) -> None:
    rows = "".join(f"{phone};Employé n° {n}\r\n" for n, phone in enumerate(phones(MAX_DESTINATIONS, national)))
    started = time.process_time()
    found = read(f"phone;description\r\n{rows}".encode("cp1252"), country="FR")
    assert time.process_time() - started < 3  # some 0.4 s on the machine it was written on
    assert found.count("accepted") == MAX_DESTINATIONS
    assert found.rows[-1].line == MAX_DESTINATIONS + 1
    action = {"type": "transfer", "name": "T", "description": "d", "destinations": add([], found.accepted)}
    assert len(TransferAction.model_validate(action).destinations) == MAX_DESTINATIONS


def test_ten_thousand_rows_half_of_them_bad() -> None:
    rows = [f"{phone},ok" if n % 2 else f"00{n},bad" for n, phone in enumerate(phones(MAX_DESTINATIONS))]
    found = read("\n".join(["phone,description", *rows]).encode())
    assert (found.count("accepted"), found.count("refused")) == (5000, 5000)
    assert all((row.outcome == "accepted") == (row.line % 2 == 1) for row in found.rows)


# -- files we write ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", ";"])
def test_the_template_reads_back(separator: Separator) -> None:
    data = template(separator)
    assert data.startswith(b"\xef\xbb\xbfphone")
    found = read(data)
    assert (found.count("accepted"), found.separator) == (2, separator)
    assert found.accepted[0].description == "Accueil du siège"


@pytest.mark.parametrize("words", ["=1+1", "+33", "-2", "@x", "\t=1", "\r=1", "  =1", "＝1", "＠x"])
def test_an_export_escapes_formulas_in_descriptions(words: str) -> None:
    written = export([Destination.model_construct(phone=ONE, extension=None, description=words)])
    rows = list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline="")))
    assert rows[1] == [ONE, f"'{words}"]


def test_an_export_leaves_the_rest_alone() -> None:
    given_ = [Destination(phone=ONE, description='dit "a, b"\n=c'), Destination(phone=TWO, description="5 = 5 'x'")]
    assert export(given_) == f'\ufeffphone,description\r\n{ONE},"dit ""a, b""\n=c"\r\n{TWO},5 = 5 \'x\'\r\n'.encode()


def test_an_export_keeps_extensions() -> None:
    rows = export([Destination(extension="*204", description="Poste"), Destination(phone=ONE)], ";").decode("utf-8-sig")
    assert rows == f"phone;description;extension\r\n;Poste;*204\r\n{ONE};;\r\n"


@given(st.lists(st.text(max_size=40), max_size=6), st.sampled_from([",", ";"]))
@settings(max_examples=200, deadline=None)
def test_what_is_exported_reads_back(descriptions: list[str], separator: Separator) -> None:
    texts = [text.replace("\0", "").strip() for text in descriptions]
    given_ = [Destination(phone=phone, description=text) for phone, text in zip(phones(6), texts, strict=False)]
    found = read(export(given_, separator))
    assert [d.phone for d in found.accepted] == [d.phone for d in given_]
    for before, after in zip(given_, found.accepted, strict=True):
        assert after.description in (before.description, f"'{before.description}")


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_no_file_breaks_it(data: bytes) -> None:
    try:
        found = read(b"phone,description\n" + data)
    except ConfigurationError as error:
        assert error.hint  # noqa: PT017 - either way is right; both must be whole
        return
    assert [row.line for row in found.rows] == sorted(row.line for row in found.rows)
    assert len(found.accepted) == found.count("accepted")
    assert all(row.reason for row in found.rows if row.outcome != "accepted")

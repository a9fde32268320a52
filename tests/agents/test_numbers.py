"""Phone numbers as people write them, and the countries they choose from."""

from __future__ import annotations

import re

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from parlons.agents.common import E164
from parlons.agents.countries import countries, country_name
from parlons.agents.numbers import to_e164

MODEL = TypeAdapter[str](E164)

# -- what is no number ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "country", "about"),
    [
        ("", None, r"empty: .*\+33612345678"),
        (" \u00a0\u200b ", "FR", "empty"),
        ("3,36E+10", None, "shortened by a spreadsheet.*format the column as text"),
        ("3.36123456789e+10", "FR", "shortened by a spreadsheet"),
        ("+3,36E+10", "FR", "shortened by a spreadsheet"),
        ("33612345678.0", "FR", "decimal number"),
        ("33612345678,00", None, "decimal number"),
        ("Support", None, "not only digits"),
        ("+33123456789 ext 5", None, "an extension needs a SIP connection"),
        ("+1 800 FLOWERS", "US", "not only digits"),
        ("+33+33612345678", None, "not only digits"),
        ("06 12 34 56 78", None, "name the country"),
        ("612345678", None, "name the country"),
        ("112", "FR", "too short in France|not a number that exists in France"),
        ("06 12 34", "FR", "in France: check the digits"),
        ("06 12 34 56 78 90", "FR", "too long in France: check the digits"),
        ("+336123456", None, "too short in France"),
        ("0033612", None, "too short in France"),
        ("+999123456789", None, "country code"),
        ("+", None, "not only digits"),
        ("+3", None, "check the digits"),
        ("+33" + "6" * 300, None, "too long"),
        ("5551234", "US", "without its area code in United States"),
        ("+33912345678901", "FR", "in France"),
        ("+800123", None, "too short: check"),
    ],
)
def test_refused_with_the_reason_and_the_fix(text: str, country: str | None, about: str) -> None:
    with pytest.raises(ValueError, match=about):
        to_e164(text, country)


@pytest.mark.parametrize("country", ["ZZ", "France", "", "33", "001"])
def test_an_unknown_country_is_refused(country: str) -> None:
    with pytest.raises(ValueError, match="two-letter code, as in FR"):
        to_e164("+33612345678", country)


def test_an_error_does_not_repeat_the_number() -> None:
    with pytest.raises(ValueError, match="in France") as caught:
        to_e164("+33 6 12 34 56", None)
    assert "1234" not in str(caught.value).replace("+33612345678", "")


# -- what is one ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("+33612345678", None, "+33612345678"),
        (" +33 6 12-34.56/78 ", None, "+33612345678"),
        ("+33 (0)6 12 34 56 78", None, "+33612345678"),
        ("0033612345678", None, "+33612345678"),
        ("00 33 6 12 34 56 78", "US", "+33612345678"),
        ("011 33 6 12 34 56 78", "US", "+33612345678"),
        ("33612345678", None, "+33612345678"),  # a spreadsheet ate the plus
        ("33612345678", "US", "+33612345678"),
        ("33612345678", "FR", "+33612345678"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("612345678", "fr", "+33612345678"),  # and here the zero
        ("4155552671", "US", "+14155552671"),  # national first: as +41 it is Swiss
        ("020 7946 0958", "GB", "+442079460958"),
        ("06 1234 5678", "IT", "+390612345678"),  # the zero stays
        ("\u202a+33\u00a06\u202f12\u201034\u201156\u201378\u202c", None, "+33612345678"),
        ("＋３３６１２３４５６７８", None, "+33612345678"),
        ("+٣٣٦١٢٣٤٥٦٧٨", None, "+33612345678"),
        ("+800 1234 5678", None, "+80012345678"),
        ("+33612345678", "US", "+33612345678"),
    ],
)
def test_read(text: str, country: str | None, number: str) -> None:
    assert to_e164(text, country) == number


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_country_as_written_there_and_abroad(region: str) -> None:
    example = phonenumbers.example_number(region)
    assert example is not None
    formats = phonenumbers.PhoneNumberFormat
    e164 = phonenumbers.format_number(example, formats.E164)
    assert to_e164(phonenumbers.format_number(example, formats.NATIONAL), region) == e164
    assert to_e164(phonenumbers.format_number(example, formats.INTERNATIONAL), None) == e164
    assert to_e164(e164.removeprefix("+"), None) == e164
    assert MODEL.validate_python(e164) == e164


def attempt(text: str, country: str | None) -> tuple[str | None, str]:
    """(the number, why there is none)."""
    try:
        return to_e164(text, country), ""
    except ValueError as error:
        return None, str(error)


def model_takes(text: str) -> bool:
    try:
        MODEL.validate_python(text)
    except ValidationError:
        return False
    return True


@given(st.text(alphabet="0123456789 .-()/", max_size=18), st.sampled_from([None, "FR", "US", "IT", "BR"]))
@settings(max_examples=500, deadline=None)
def test_what_is_read_is_what_the_model_takes(text: str, country: str | None) -> None:
    number, _ = attempt(text, country)
    assert number is None or MODEL.validate_python(number) == number == to_e164(number, country)


@given(st.sampled_from(["33", "1", "44", "39", "49", "800", ""]), st.text(alphabet="0123456789 .-()/", max_size=14))
@settings(max_examples=500, deadline=None)
def test_a_number_with_its_plus_is_read_exactly_when_the_model_takes_it(code: str, rest: str) -> None:
    number, reason = attempt(f"+{code}{rest}", "FR")
    assert (number is not None) == model_takes(f"+{code}{rest}")
    assert bool(reason) == (number is None)


@given(st.text(max_size=30), st.sampled_from([None, "FR"]))
@settings(max_examples=300, deadline=None)
def test_no_text_breaks_it(text: str, country: str | None) -> None:
    number, reason = attempt(text, country)
    assert reason if number is None else re.fullmatch(r"\+[1-9]\d{3,14}", number)


# -- countries -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["fr-FR", "en-GB", "de", "pt-BR"])
def test_every_country_has_its_name_flag_and_prefix(language: str) -> None:
    found = countries(language)
    assert {c.code for c in found} == set(phonenumbers.SUPPORTED_REGIONS)
    for country in found:
        assert country.name != country.code
        assert re.fullmatch(r"\+[1-9]\d{0,2}", country.prefix)
        assert len(country.flag) == 2
    assert len({c.flag for c in found}) == len(found)


def test_france_in_french_and_english() -> None:
    french = {c.code: c for c in countries("fr-FR")}
    english = {c.code: c for c in countries("en")}
    assert (french["DE"].name, english["DE"].name) == ("Allemagne", "Germany")
    assert (french["FR"].flag, french["FR"].prefix) == ("🇫🇷", "+33")
    assert french["US"].prefix == french["CA"].prefix == "+1"


def test_sorted_as_a_person_does() -> None:
    names = [c.name for c in countries("fr")]
    assert names[0] == "Afghanistan"
    assert names.index("Égypte") < names.index("Espagne") < names.index("Ukraine")
    english = [c.name for c in countries("en")]
    assert english.index("Åland Islands") < english.index("Albania") < english.index("Zimbabwe")


def test_the_answer_is_the_callers_own() -> None:
    countries("fr").clear()
    assert countries("fr")


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="BCP 47"):
        countries("klingon")


def test_a_name_by_code() -> None:
    assert country_name("FR") == "France"
    assert country_name("001x") == "001x"

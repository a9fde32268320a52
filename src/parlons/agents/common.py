"""Types shared by every configuration document: strictness, languages, phone numbers, SIP header fields.

Pure: no I/O. Unknown keys are refused everywhere, so a typo in a file never goes unnoticed.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from babel import Locale, UnknownLocaleError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from parlons.errors import TemplateError
from parlons.telephony.sip.headers import name_problem, value_problem

from . import templates


class Document(BaseModel):
    """Base of every configuration model: frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=100_000, validate_default=True)


def slug(text: str) -> str:
    """The ASCII form of a name used for the tool a language model sees: ``[a-z0-9_]``, never empty.

    >>> slug("Transfert d'été")
    'transfert_d_ete'
    """
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", folded.lower()).strip("_")[:64] or "action"


def _language(value: str) -> str:
    try:
        locale = Locale.parse(value, sep="-")
    except (ValueError, UnknownLocaleError):
        raise ValueError("not a known language: use a BCP 47 tag such as fr-FR or en-GB") from None
    return "-".join(part for part in (locale.language, locale.script, locale.territory) if part)


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("not a known time zone: use an IANA name such as Europe/Paris") from None
    return value


def _e164(value: str) -> str:
    compact = re.sub(r"[\s().\-/]", "", value)
    if not re.fullmatch(r"\+[0-9]+", compact):
        raise ValueError("not in international form: start with + and the country code, as in +33123456789")
    try:
        number = phonenumbers.parse(compact)
    except phonenumbers.NumberParseException as error:
        raise ValueError(f"not a phone number: {error}") from None
    if not phonenumbers.is_possible_number(number) or not phonenumbers.is_valid_number(number):
        raise ValueError("not a number that exists: check the country code and the count of digits")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def header_name(value: str) -> str:
    """Check a custom header's name (RFC 3261 ``token``, and none of the headers the stack itself writes)."""
    problem = name_problem(value)
    if problem:
        raise ValueError(problem)
    return value


def header_value(value: str) -> str:
    """Check a header's value before (and again after) rendering: at most 256 characters, no line breaks."""
    problem = value_problem(value)
    if problem:
        raise ValueError(problem)
    return value


def _template(value: str) -> str:
    """Refuse a template that does not parse, with the line and the fix."""
    try:
        templates.check(value)
    except TemplateError as error:
        raise ValueError(str(error)) from None
    return value


def json_templates(value: Any) -> Any:
    """Check every text inside a JSON value as a template."""
    if isinstance(value, str):
        _template(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            _template(str(key))
            json_templates(item)
    elif isinstance(value, list):
        for item in value:
            json_templates(item)
    return value


LanguageTag = Annotated[str, AfterValidator(_language)]
TimeZoneName = Annotated[str, AfterValidator(_timezone)]
E164 = Annotated[str, AfterValidator(_e164)]
Extension = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z*#._-]{1,32}$")]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Description = Annotated[str, StringConstraints(min_length=1, max_length=4000, strip_whitespace=True)]
Template = Annotated[str, StringConstraints(max_length=templates.MAX_TEMPLATE), AfterValidator(_template)]
HeaderName = Annotated[str, AfterValidator(header_name)]
HeaderValue = Annotated[str, AfterValidator(header_value), AfterValidator(_template)]
HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=2000)]


class Header(Document):
    """A custom SIP header; ``value`` is a template."""

    name: HeaderName
    value: HeaderValue


class SpokenText(Document):
    """Literal words and the language they are in. Never a template: ``{{`` and ``{%`` are refused."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
    language: LanguageTag

    def model_post_init(self, _context: Any) -> None:
        if "{{" in self.text or "{%" in self.text:
            raise ValueError("this text is spoken as it is written: {{ and {% cannot be used here")


def unique(values: list[str], what: str) -> None:
    """Raise ValueError naming the first value that appears twice."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{what} {value!r} appears twice")
        seen.add(value)


PortNumber = Annotated[int, Field(ge=1, le=65535)]

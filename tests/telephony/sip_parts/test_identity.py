"""Who calls whom: INVITEs as networks send them, and the headers of ours."""

from __future__ import annotations

import pytest
from aiosipua.message import SipRequest

from parlons.errors import HeaderRefused
from parlons.telephony.sip.checks import check
from parlons.telephony.sip.identity import invite_info, outbound_headers, user_part
from parlons.telephony.types import InviteInfo, OutboundInvite

SOURCE = ("192.0.2.9", 5060)
LOCAL = ("198.51.100.1", 5060)


def info(
    *lines: bytes | str, uri: str = "sip:+33100000001@192.0.2.1", sender: bytes | str = "<sip:0612345678@h>"
) -> InviteInfo:
    sender = sender.encode() if isinstance(sender, str) else sender
    head = [
        f"INVITE {uri} SIP/2.0".encode(),
        b"Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1",
        b"From: " + sender + b";tag=1",
        b"To: <sip:+33100000001@192.0.2.1>",
        b"Call-ID: c1",
        b"CSeq: 1 INVITE",
        b"Contact: <sip:192.0.2.9>",
        *(line.encode() if isinstance(line, str) else line for line in lines),
    ]
    checked = check(b"\r\n".join(head) + b"\r\n\r\n")
    assert isinstance(checked.message, SipRequest), checked
    assert checked.reject is None, checked
    return invite_info(checked.message, SOURCE)


def test_a_plain_call() -> None:
    found = info(sender='"Zoé \\"Z\\" Lévy" <sip:+33612345678;phone-context=x@h;user=phone>')
    assert found == InviteInfo(
        call_id="c1",
        source=SOURCE,
        called=("+33100000001",),
        caller_number="+33612345678",
        caller_name='Zoé "Z" Lévy',
        anonymous=False,
        user_to_user="",
        headers={},
    )


@pytest.mark.parametrize(
    ("uri", "user"),
    [
        ("sip:0612345678@h", "0612345678"), ("sip:alice:pw@h", "alice"), ("sip:%2B33612345678@h;x=y", "+33612345678"),
        ("sips:a;b=c@h", "a"), ("tel:+33-6.12(34)5678;phone-context=x", "+33612345678"), ("tel:0612", "0612"),
        ("sip:h", ""), ("mailto:a@b", ""), ("rubbish", ""), ("sip:Zo%E9@h", "Zoé"), ("sip:Zo%C3%A9@h", "Zoé"),
        ("sip:a%0D%0Ab@h", "a  b"), ("sip:j.doe-1@h", "j.doe-1"),
    ],
)  # fmt: skip
def test_user_part(uri: str, user: str) -> None:
    assert user_part(uri) == user


def test_an_unquoted_comma_does_not_lose_the_number() -> None:
    found = info(sender="Bell, Alexander <sip:+33612345678@h>")
    assert (found.caller_name, found.caller_number) == ("Bell, Alexander", "+33612345678")
    found = info("Remote-Party-ID: Bell, Alexander <sip:+33622222222@h>")
    assert found.caller_number == "+33622222222"


def test_a_name_in_latin1() -> None:
    assert info(sender='"Zoé" <sip:1@h>'.encode("latin-1")).caller_name == "Zoé"


def test_the_asserted_number_wins() -> None:
    both = 'P-Asserted-Identity: "A, B" <sip:trunk7@h>, <tel:+33611111111>'
    assert info(both).caller_number == "+33611111111"
    assert info(both).caller_name == "A, B"
    assert info("Remote-Party-ID: <sip:+33622222222@h>;party=calling", both).caller_number == "+33611111111"
    assert info("Remote-Party-ID: <sip:+33622222222@h>;party=calling").caller_number == "+33622222222"
    assert info('P-Asserted-Identity: "broken <sip:1@h>').caller_number == "0612345678"


@pytest.mark.parametrize(
    ("sender", "lines"),
    [
        ('"Anonymous" <sip:anonymous@anonymous.invalid>', []),
        ("sip:Anonymous@192.0.2.9", []),
        ("<sip:+33612345678@anonymous.invalid>", []),
        ("<sip:+33612345678@h>", ["Privacy: id"]),
        ("<sip:+33612345678@h>", ["Privacy: session; user"]),
        ("<sip:+33612345678@h>", ["Privacy: Header;critical"]),
        ("<sip:+33612345678@h>", ["Remote-Party-ID: <sip:+33612345678@h>;privacy=full"]),
    ],
)
def test_withheld_callers(sender: str, lines: list[str]) -> None:
    found = info("P-Asserted-Identity: Name <sip:+33612345678@h>", *lines, sender=sender)
    assert found.anonymous
    assert (found.caller_number, found.caller_name) == ("", "")


def test_privacy_none_is_not_withheld() -> None:
    assert not info("Privacy: none").anonymous


def test_called_numbers_in_the_order_they_are_tried() -> None:
    found = info("P-Called-Party-ID: <tel:+33-100000002>", uri="sip:trunk7@192.0.2.1")
    assert found.called == ("trunk7", "+33100000002", "+33100000001")
    assert info(uri="tel:+33100000001").called == ("+33100000001",)


def test_extra_headers_and_user_to_user() -> None:
    found = info("X-Queue: A", "x-queue: B", "X-Name: Zoé", "User-to-User: 5a6fc3a9;encoding=hex", "Subject: no")
    assert found.headers == {"x-queue": "A, B", "x-name": "Zoé"}
    assert found.user_to_user == "Zoé"


def test_what_came_cannot_carry_line_breaks_into_templates() -> None:
    found = info("X-A: a\x85b\u2028c", "User-to-User: 610d0a62;encoding=hex", sender='"a\u2029b" <sip:a%0ab@h>')
    assert (found.headers["x-a"], found.user_to_user) == ("a b c", "a  b")
    assert (found.caller_name, found.caller_number) == ("a b", "a b")


def test_diversion() -> None:
    assert info('Diversion: "x" <sip:+33155555555@h>;reason=no-answer, <sip:2@h>').diversion == "+33155555555"


# -- ours ----------------------------------------------------------------------------------------------------


def invite(**fields: object) -> OutboundInvite:
    base: dict[str, object] = {
        "target": "sip:+33612345678@192.0.2.1",
        "next_hop": ("192.0.2.1", 5060),
        "from_user": "+33100000001",
    }
    return OutboundInvite(**(base | fields))  # type: ignore[arg-type]


def test_everything_we_present() -> None:
    sent = outbound_headers(
        invite(
            from_name='Zoé "Z"',
            from_domain="example.org",
            asserted="+33100000001",
            diversion="+33100000002",
            user_to_user="Zoé",
            headers=(("X-Queue", "support"),),
        ),
        LOCAL,
    )
    assert sent == [
        ("To", "<sip:+33612345678@192.0.2.1>"),
        ("From", '"Zoé \\"Z\\"" <sip:+33100000001@example.org>'),
        ("P-Asserted-Identity", "<sip:+33100000001@example.org>"),
        ("Diversion", "<sip:+33100000002@example.org>;reason=unconditional"),
        ("User-to-User", "5a6fc3a9;encoding=hex"),
        ("X-Queue", "support"),
    ]


def test_a_withheld_number_is_nowhere() -> None:
    sent = outbound_headers(
        invite(
            from_user="+33699999999", from_name="Zoé", asserted="+33699999999", diversion="+33699999999", anonymous=True
        ),
        LOCAL,
    )
    assert ("Privacy", "id") in sent
    assert ("From", '"Anonymous" <sip:anonymous@anonymous.invalid>') in sent
    assert not any("699999999" in value or "Zoé" in value for _, value in sent)


def test_users_are_escaped_and_addresses_bracketed() -> None:
    sent = dict(outbound_headers(invite(from_user='a"<b>@;é #1'), ("2001:db8::1", 5060)))
    assert sent["From"] == "<sip:a%22%3Cb%3E%40%3B%C3%A9%20%231@[2001:db8::1]>"
    assert dict(outbound_headers(invite(from_user=""), LOCAL))["From"] == "<sip:198.51.100.1>"


def test_a_hostile_name_stays_a_name() -> None:
    sent = dict(outbound_headers(invite(from_name='a\r\nVia: x" <sip:evil@h>;tag=9 \\'), LOCAL))
    assert sent["From"] == '"a  Via: x\\" <sip:evil@h>;tag=9 \\\\" <sip:+33100000001@198.51.100.1>'


@pytest.mark.parametrize(
    "fields",
    [
        {"headers": (("Via", "x"),)}, {"headers": (("X Y", "x"),)}, {"headers": (("X-A", "a\r\nb"),)},
        {"headers": (("X-A", "a\u2028b"),)}, {"headers": (("X-A", "x" * 257),)}, {"user_to_user": "x" * 129},
        {"target": "sip:1@h>\r\nX: y"}, {"target": "http://h"}, {"target": "sip:1 2@h"}, {"from_domain": "h>;tag=1"},
    ],
)  # fmt: skip
def test_what_may_not_go_on_the_wire(fields: dict[str, object]) -> None:
    with pytest.raises(HeaderRefused):
        outbound_headers(invite(**fields), LOCAL)

"""``checks``: RFC 4475 in full, what telephone networks really send, and noise."""

from __future__ import annotations

import time

import pytest
from aiosipua.message import SipRequest, SipResponse
from hypothesis import given, settings
from hypothesis import strategies as st

from parlons.telephony.sip.checks import Checked, check
from tests.telephony.sip_parts.torture import MESSAGES

SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"

PASSED = """
wsinv intmeth esc01 escnull esc02 lwsdisp longreq dblreq semiuri transports mpart01 unreason noreason
baddate badaspec baddn badbranch unksm2 bext01 regaut01 bcast zeromf cparam01 cparam02 regescrt
""".split()
"""Valid ones; and three invalid ones where the RFC lets a server be liberal about what it does not need: a time zone
in Date, spaces inside < >, a comma in an unquoted name (PBXs send it, and the call is worth more than the comma)."""

REJECTED = {
    "badinv01": 400, "clerr": 400, "ncl": 400, "scalar02": 400, "quotbal": 400, "ltgtruri": 400, "lwsruri": 400,
    "lwsstart": 400, "trws": 400, "escruri": 400, "regbadct": 400, "badvers": 505, "mismatch01": 400,
    "mismatch02": 400, "insuf": 400, "unkscm": 416, "novelsc": 416, "invut": 415, "multi01": 400, "mcl01": 400,
    "sdp01": 406,
    "inv2543": 400,  # it has no Contact, and a dialog needs one
}  # fmt: skip

DROPPED = ["scalarlg", "bigcode"]


def invite(*lines: str, body: bytes = SDP, without: str = "", start: str = "INVITE sip:100@192.0.2.1 SIP/2.0") -> bytes:
    """An INVITE that passes; ``lines`` replace headers of the same name or are added, ``without`` leaves one out."""
    headers = {
        "Via": "SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK1",
        "From": "<sip:200@192.0.2.9>;tag=1",
        "To": "<sip:100@192.0.2.1>",
        "Call-ID": "1@192.0.2.9",
        "CSeq": f"1 {start.split()[0]}",
        "Contact": "<sip:200@192.0.2.9:5060>",
        "Max-Forwards": "70",
        "Content-Type": "application/sdp",
        "Content-Length": str(len(body)),
    }
    headers.pop(without, None)
    extra = []
    for line in lines:
        name, _, value = line.partition(": ")
        if name in headers:
            headers[name] = value
        else:
            extra.append(line)
    head = [start, *(f"{n}: {v}" for n, v in headers.items()), *extra, "", ""]
    return "\r\n".join(head).encode() + body


def passed(data: bytes) -> SipRequest:
    checked = check(data)
    assert isinstance(checked.message, SipRequest), checked
    assert (checked.reject, checked.drop) == (None, "")
    return checked.message


def status(data: bytes) -> int:
    checked = check(data)
    assert checked.reject is not None, checked
    assert isinstance(checked.message, SipRequest)
    return checked.reject[0]


# -- RFC 4475 ------------------------------------------------------------------------------------------------


def test_every_torture_message_has_a_verdict() -> None:
    assert sorted(MESSAGES) == sorted([*PASSED, *REJECTED, *DROPPED])


@pytest.mark.parametrize("name", PASSED)
def test_torture_passed(name: str) -> None:
    checked = check(MESSAGES[name])
    assert (checked.reject, checked.drop) == (None, "")
    assert checked.message is not None
    again = check(bytes(checked.message))
    assert (again.reject, again.drop) == (None, ""), "what we pass on must serialise to something we accept"


@pytest.mark.parametrize(("name", "code"), REJECTED.items())
def test_torture_rejected(name: str, code: int) -> None:
    checked = check(MESSAGES[name])
    assert checked.reject is not None
    assert checked.reject[0] == code
    assert isinstance(checked.message, SipRequest)
    assert checked.message.via[0].host, "there must be somewhere to send the refusal"


@pytest.mark.parametrize("name", DROPPED)
def test_torture_answers_dropped(name: str) -> None:
    checked = check(MESSAGES[name])
    assert checked.message is None
    assert checked.drop.startswith("answer")


def test_wsinv_is_read_right() -> None:
    message = passed(MESSAGES["wsinv"])
    assert [(v.transport, v.host, v.branch) for v in message.via] == [
        ("UDP", "192.0.2.2", "390skdjuw"),
        ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
        ("UDP", "192.168.255.111", "z9hG4bK30239"),
    ]
    assert message.cseq is not None
    assert (message.cseq.seq, message.cseq.method) == (9, "INVITE")
    assert message.from_addr is not None
    assert message.from_addr.tag == "98asjd8"
    assert message.to_addr is not None
    assert message.to_addr.tag == "1918181833n"
    assert message.body.startswith(b"v=0")
    assert len(message.headers.get("contact")) == 1


def test_dblreq_leaves_the_second_request_alone() -> None:
    message = passed(MESSAGES["dblreq"])
    assert (message.method, message.body) == ("REGISTER", b"")


def test_unusual_reason_phrases() -> None:
    unreason, noreason = check(MESSAGES["unreason"]).message, check(MESSAGES["noreason"]).message
    assert isinstance(unreason, SipResponse)
    assert unreason.reason_phrase.endswith("простое")
    assert isinstance(noreason, SipResponse)
    assert (noreason.status_code, noreason.reason_phrase) == (100, "")


def test_a_doubled_header_is_answered_with_the_first_of_them() -> None:
    message = check(MESSAGES["multi01"]).message
    assert message is not None
    assert message.headers.get("cseq") == ["5 INVITE"]
    assert message.headers.get("from") == ["sip:caller@example.com;tag=3413415"]


# -- what is not a message -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n",
        b"\r\n\r\n",
        b"\x00",
        b"\x00\x00\x00\x00",
        b"  ",
        b"\x00\x01\x00\x00\x21\x12\xa4\x42" + b"\x07" * 12,
    ],
)
def test_keep_alives_are_dropped_silently(data: bytes) -> None:
    assert check(data).drop in ("keep-alive", "STUN keep-alive")


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x08\x00\x01" + b"\x55" * 160,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"hello",
        b"\xff" * 100,
        b"INVITE\r\n\r\n",
    ],
)
def test_noise_is_dropped(data: bytes) -> None:
    checked = check(data)
    assert checked.message is None
    assert checked.drop


def test_empty_lines_before_a_message_are_skipped() -> None:
    assert passed(b"\r\n\r\n" + invite()).method == "INVITE"


# -- what networks really send -------------------------------------------------------------------------------


def test_latin1_and_utf8_names() -> None:
    latin = invite().replace(b"From: ", 'From: "Zo\xe9 L\xe9vy" '.encode("latin-1"))
    utf8 = invite().replace(b"From: ", 'From: "Zoé Lévy" '.encode())
    for data in (latin, utf8):
        message = passed(data)
        assert message.from_addr is not None
        assert message.from_addr.display_name == "Zoé Lévy"


def test_ipv6() -> None:
    message = passed(
        invite(
            "Via: SIP/2.0/UDP [2001:db8::9]:5070;branch=z9hG4bK1;rport",
            "Contact: <sip:200@[2001:db8::9]:5070>",
            start="INVITE sip:100@[2001:db8::1]:5060 SIP/2.0",
        )
    )
    assert (message.via[0].host, message.via[0].port) == ("[2001:db8::9]", 5070)


def test_compact_and_folded_headers() -> None:
    data = (
        b"INVITE sip:100@192.0.2.1 SIP/2.0\r\nv: SIP/2.0/UDP 192.0.2.9\r\n ;branch=z9hG4bK1\r\n"
        b"f: <sip:200@192.0.2.9>\r\n\t;tag=1\r\nt: <sip:100@192.0.2.1>\r\ni: 1\r\nCSeq: 1\r\n INVITE\r\n"
        b"m: <sip:200@192.0.2.9>\r\nx: 1800\r\nl: 0\r\n\r\n"
    )
    message = passed(data)
    assert message.via[0].branch == "z9hG4bK1"
    assert message.headers.get_first("Session-Expires") == "1800"


@pytest.mark.parametrize(
    "uri",
    [
        "tel:+33-1.23(45)67",
        "tel:0123;phone-context=+33",
        "sips:100@192.0.2.1",
        "sip:192.0.2.1",
        "sip:a?b;c@h:5060;x=y",
        "SIP:1@H",
    ],
)
def test_request_uris_that_are_served(uri: str) -> None:
    assert passed(invite(start=f"INVITE {uri} SIP/2.0")).uri == uri


def test_bare_line_feeds_are_read() -> None:
    bare = SDP.replace(b"\r\n", b"\n")
    assert passed(invite(body=bare).replace(b"\r\n", b"\n")).body == bare


def test_a_request_may_lack_max_forwards_a_tag_and_a_length() -> None:
    assert passed(invite(without="Max-Forwards"))
    assert passed(invite("From: <sip:200@192.0.2.9>"))
    assert passed(invite(without="Content-Length")).body == SDP


def test_what_follows_the_body_is_cut() -> None:
    assert passed(invite() + b"trailing").body == SDP


def test_an_escaped_quote_does_not_split_a_contact() -> None:
    message = passed(invite('Contact: "a \\", b" <sip:200@192.0.2.9>'))
    assert len(message.headers.get("contact")) == 1


def test_a_line_that_is_no_header_is_ignored() -> None:
    assert "x-y" not in passed(invite("this is no header", "X Y: 1")).headers


# -- what is refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["From", "To", "Call-ID", "CSeq", "Contact"])
def test_missing_mandatory_header(name: str) -> None:
    assert status(invite(without=name)) == 400


def test_without_a_via_nothing_can_be_answered() -> None:
    assert check(invite(without="Via")).drop == "no Via to answer to"


@pytest.mark.parametrize(
    "line",
    [
        "CSeq: 1 BYE", "CSeq: 2147483648 INVITE", "CSeq: -1 INVITE", "CSeq: INVITE", "CSeq: 1",
        "CSeq: " + "9" * 5000 + " INVITE",
        "Content-Length: 95", "Content-Length: -1", "Content-Length: x", "Content-Length: " + "9" * 5000,
        "Max-Forwards: -1", "Max-Forwards: 256", "Max-Forwards: many",
        'From: "a <sip:200@192.0.2.9>;tag=1', "From: <sip:200@192.0.2.9;tag=1", "From: nobody", "To: <sip:1@h> x",
        "Contact: *", "Contact: <http://192.0.2.9/>", "Contact: <sip:>", "Contact: <sip:1@h:99999>", "Call-ID: a b",
        "Via: SIP/2.0/UDP 192.0.2.9;branch=1, rubbish", "Via: SIP/2.0/UDP 192.0.2.9;;branch=1",
        "Record-Route: <rubbish>",
    ],
)  # fmt: skip
def test_bad_header(line: str) -> None:
    assert status(invite(line)) == 400


@pytest.mark.parametrize("line", ["Via: rubbish", "Via: SIP/2.0/UDP 192.0.2.9:99999", "Via: SIP/2.0/UDP"])
def test_a_via_that_leads_nowhere_drops_the_request(line: str) -> None:
    assert check(invite(line)).drop == "no Via to answer to"


@pytest.mark.parametrize("name", ["From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length", "Content-Type"])
def test_a_header_that_may_appear_once_appears_twice(name: str) -> None:
    data = invite()
    line = next(li for li in data.split(b"\r\n") if li.startswith(name.encode()))
    assert status(data.replace(line, line + b"\r\n" + line)) == 400


@pytest.mark.parametrize(
    ("start", "code"),
    [
        ("INVITE <sip:1@h> SIP/2.0", 400), ("INVITE sip:1@h;a b SIP/2.0", 400), ("INVITE sip:1@h SIP/7.0", 505),
        ("INVITE sip:1@h SIP/2.1", 505), ("INVITE sip:1@h", 400), ("INVITE sip:1@h HTTP/1.1", 400),
        ("INVITE 100 SIP/2.0", 400),
        ("INVITE http://h SIP/2.0", 416), ("INVITE sip:1@h:70000 SIP/2.0", 400), ("INVITE tel:alice SIP/2.0", 400),
        ("INVITE sip:1@ SIP/2.0", 400), ("INVITE sip:1@h?Route=x SIP/2.0", 400), ("INVITE sip:1\x00@h SIP/2.0", 400),
    ],
)  # fmt: skip
def test_request_line(start: str, code: int) -> None:
    assert status(invite(start=start)) == code


def test_a_message_cut_inside_its_headers() -> None:
    assert status(invite().partition(b"Max-Forwards")[0]) == 400
    assert check(invite()[:40]).drop == "no Via to answer to"


def test_too_many_headers() -> None:
    assert status(invite(*(f"X-{i}: 1" for i in range(300)))) == 400


# -- bodies --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["INVITE", "UPDATE", "PRACK"])
def test_body_we_do_not_read(method: str) -> None:
    assert status(invite("Content-Type: text/plain", start=f"{method} sip:1@h SIP/2.0")) == 415


def test_body_without_a_type() -> None:
    assert passed(invite(without="Content-Type")).content_type == "application/sdp"
    assert status(invite(without="Content-Type", body=b"hello")) == 415


def test_compressed_body() -> None:
    assert status(invite("Content-Encoding: gzip")) == 415


def test_body_of_other_requests_is_not_ours_to_judge() -> None:
    data = invite("Content-Type: application/dtmf-relay", start="INFO sip:1@h SIP/2.0", body=b"Signal=5\r\n")
    assert passed(data).body == b"Signal=5\r\n"


def test_optional_body_is_passed_over() -> None:
    message = passed(invite("Content-Type: text/plain", "Content-Disposition: render; handling=optional"))
    assert (message.body, message.content_type) == (b"", None)


def test_session_description_inside_multipart() -> None:
    body = (
        b"preamble\r\n--b1\r\nContent-Type: application/isup;version=x\r\n\r\n\x01\x02\x00\r\n--b1\r\n"
        b"Content-Type: application/sdp\r\n\r\n" + SDP + b"\r\n--b1--\r\n"
    )
    message = passed(invite('Content-Type: multipart/mixed;boundary="b1"', body=body))
    assert (message.body, message.content_type) == (SDP, "application/sdp")
    assert status(invite("Content-Type: multipart/mixed;boundary=other", body=body)) == 415
    assert status(invite("Content-Type: multipart/mixed", body=body)) == 415


def test_a_bad_ack_is_never_answered() -> None:
    assert check(invite("CSeq: 1 INVITE", start="ACK sip:1@h SIP/2.0")).drop.startswith("ACK")


def test_an_ack_with_a_strange_body_still_ends_the_handshake() -> None:
    message = passed(invite("Content-Type: text/plain", start="ACK sip:1@h SIP/2.0"))
    assert (message.body, message.content_type) == (b"", None)


def test_an_invite_that_accepts_no_session_description() -> None:
    assert status(invite("Accept: text/plain")) == 406
    assert passed(invite("Accept: text/plain, application/*;q=0.5"))


@pytest.mark.parametrize(
    "filler",
    [
        b" ",
        b"\r\n ",
        b"\t",
        b",",
        b";",
        b'"',
        b"<",
        b">",
        b"\\",
        b"a",
        b"/",
        b"1",
        b"%",
        b"[",
        b"=",
        b"@",
        b"?",
        b"\r",
        b"a,",
        b": ",
    ],
)
@pytest.mark.parametrize(
    "place",
    [b"INVITE sip:100", b"Via: SIP/2.0/UDP 192.0.2.9", b"From: ", b"CSeq: 1 ", b"Contact: ", b"t=0 0", b"v=0\r\n"],
)
def test_no_datagram_holds_up_the_loop(place: bytes, filler: bytes) -> None:
    """A full datagram of the worst filler: the patterns must not backtrack."""
    data = invite(without="Content-Length")
    filler *= (65_000 - len(data)) // len(filler)
    start = time.perf_counter()
    _sound(check(data.replace(place, place + filler + b"x")))
    assert time.perf_counter() - start < 0.5


# -- noise ---------------------------------------------------------------------------------------------------


def _sound(checked: Checked) -> None:
    """Whatever the verdict, it is one of the three forms, and what is passed can be used."""
    if checked.drop:
        assert checked.message is None
        assert checked.reject is None
        return
    message = checked.message
    assert message is not None
    assert message.via[0].host
    bytes(message)
    if checked.reject:
        assert isinstance(message, SipRequest)
        assert message.method != "ACK"
        assert 400 <= checked.reject[0] < 600
        return
    assert message.cseq is not None
    assert message.from_addr is not None
    assert message.to_addr is not None
    assert message.call_id
    assert message.contact is not None


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_random_octets_never_raise(data: bytes) -> None:
    _sound(check(data))


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(sorted(MESSAGES)), st.data())
def test_mutated_messages_never_raise(name: str, data: st.DataObject) -> None:
    octets = bytearray(MESSAGES[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(octets)))
        length = data.draw(st.integers(0, 12))
        octets[at : at + length] = data.draw(
            st.one_of(
                st.binary(max_size=6), st.sampled_from([b'"', b"\r\n", b"<", b">", b",", b";", b"\\", b"\xe9", b": "])
            )
        )
    _sound(check(bytes(octets)))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 1000))
def test_truncated_messages_never_raise(length: int) -> None:
    _sound(check(invite()[:length]))

"""Offers from outside: what is not one audio stream both ways is refused by name, before anything acts on it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlons.errors import InvalidDocument
from parlons.webrtc.offers import MAX_CANDIDATES, checked, with_public_address

OFFER = """v=0
o=- 46117317 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=audio 40000 UDP/TLS/RTP/SAVPF 111 8
c=IN IP4 192.0.2.1
a=candidate:1 1 udp 2122260223 192.0.2.1 40000 typ host generation 0
a=candidate:2 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active
a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 00:11
a=setup:actpass
a=mid:0
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtpmap:8 PCMA/8000
"""


def told(offer: str) -> str:
    """What is said against an offer."""
    with pytest.raises(InvalidDocument) as refused:
        checked(offer)
    ((path, text),) = refused.value.problems
    assert path == "sdp"
    return text


def test_a_good_offer_keeps_its_udp_candidates() -> None:
    lines = checked(OFFER).split("\r\n")
    assert [line for line in lines if "candidate" in line] == [
        "a=candidate:1 1 udp 2122260223 192.0.2.1 40000 typ host generation 0"
    ]
    assert "a=fingerprint:sha-256 00:11" in lines


def test_a_hidden_address_is_asked_for_only_when_there_is_no_other() -> None:
    hidden = "a=candidate:3 1 udp 2122260222 0a1b.local 40001 typ host\n"
    both = OFFER.replace("a=ice-ufrag", hidden + "a=ice-ufrag", 1)
    assert ".local" not in checked(both)
    alone = both.replace("a=candidate:1 1 udp 2122260223 192.0.2.1 40000 typ host generation 0\n", "")
    assert ".local" in checked(alone)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (("v=0", "v=1"), "session description"),
        (("m=audio", "x=audio"), "session description"),
        (("m=audio", "m=video"), "one audio stream"),
        (("a=rtcp-mux", "m=audio 9 UDP/TLS/RTP/SAVPF 111"), "one audio stream"),
        (("a=rtcp-mux", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"), "one audio stream"),
        (("a=sendrecv", "a=recvonly"), "both ways"),
        (("a=sendrecv", "a=inactive"), "both ways"),
        (("opus/48000/2", "speex/16000"), "Opus"),
        (("a=fingerprint", "a=print"), "a=fingerprint"),
        (("a=ice-ufrag", "a=ufrag"), "a=ice-ufrag"),
        (("a=ice-pwd", "a=pwd"), "a=ice-pwd"),
        (("1 udp", "1 tcp"), "gather all of them"),
        (("a=candidate:1 1", "a=candidate:1"), "gather all of them"),
    ],
)
def test_what_cannot_be_used_is_said(change: tuple[str, str], word: str) -> None:
    assert word in told(OFFER.replace(*change, 1))


@pytest.mark.parametrize("offer", ["", "\n", "hello", "v=0", "{}", "m=audio " * 1000])
def test_what_is_no_offer_is_said(offer: str) -> None:
    assert "session description" in told(offer)


def test_candidates_are_bounded() -> None:
    many = "".join(f"a=candidate:{n} 1 udp 1 192.0.2.1 {n} typ host\n" for n in range(1, MAX_CANDIDATES + 2))
    assert "more than" in told(OFFER + many)


@given(st.text(max_size=300))
def test_no_text_gets_through_or_breaks_it(text: str) -> None:
    with pytest.raises(InvalidDocument):
        checked(text)


def test_a_public_address_is_offered_beside_our_own() -> None:
    answer = "v=0\r\na=candidate:77 1 udp 2130706431 192.0.2.9 41000 typ host\r\na=end-of-candidates\r\n"
    lines = with_public_address(answer, "198.51.100.7").split("\r\n")
    assert lines[1] == "a=candidate:77 1 udp 2130706431 192.0.2.9 41000 typ host"
    assert lines[2].startswith("a=candidate:770 1 udp ")
    assert lines[2].endswith(" 198.51.100.7 41000 typ srflx raddr 192.0.2.9 rport 41000")
    assert int(lines[2].split()[3]) < 2130706431
    for same in ("", "sip.example.com", "192.0.2.9", "2001:db8::1"):
        assert with_public_address(answer, same) == answer

"""Digest, both sides. The known answers are the examples of RFC 2617 section 3.5 and RFC 7616 section 3.9.1."""

from __future__ import annotations

import asyncio
import re
from unittest import mock

import pytest
from aiosipua.message import SipRequest, SipResponse
from hypothesis import given, settings
from hypothesis import strategies as st

from parlons.telephony.sip import digest
from parlons.telephony.sip.digest import DigestServer, Verdict
from parlons.telephony.types import Credentials
from tests.support.virtual_time import run

ALICE = Credentials("alice", "secret")


def request(*authorization: str, method: str = "INVITE", uri: str = "sip:100@192.0.2.1") -> SipRequest:
    made = SipRequest(method=method, uri=uri)
    for value in authorization:
        made.headers.append("Authorization", value)
    return made


def refusal(*challenges: str, code: int = 401) -> SipResponse:
    response = SipResponse(status_code=code)
    for value in challenges:
        response.headers.append("WWW-Authenticate" if code == 401 else "Proxy-Authenticate", value)
    return response


def answered(*challenges: str, code: int = 401, who: Credentials = ALICE) -> str:
    """The credentials that these challenges get; empty when none."""
    made = request()
    if not digest.answer(refusal(*challenges, code=code), made, who):
        return ""
    return ", ".join(made.headers.get("Authorization" if code == 401 else "Proxy-Authorization"))


def lookup(username: str) -> str | None:
    return "secret" if username == "alice" else None


# -- client --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "challenge", "cnonce", "response"),
    [
        (
            "Circle Of Life",
            'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
            'opaque="5ccc069c403ebaf9f0171e9517f40e41"',
            "0a4f113b",
            "6629fae49393a05397450978507c4ef1",
        ),
        (
            "Circle of Life",
            'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
            'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
            'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
            "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
    ],
)
def test_known_answers(password: str, challenge: str, cnonce: str, response: str) -> None:
    made = request(method="GET", uri="/dir/index.html")
    with mock.patch("secrets.token_hex", return_value=cnonce):
        assert digest.answer(refusal(challenge), made, Credentials("Mufasa", password))
    written = made.headers.get_first("authorization") or ""
    assert f'response="{response}"' in written
    assert "nc=00000001" in written
    assert re.search('opaque="[^"]+"', written)


def test_proxy_challenge() -> None:
    assert answered('Digest realm="r", nonce="n"', code=407).startswith("Digest username=")


def test_without_qop_there_is_no_count() -> None:
    written = answered('Digest realm="r", nonce="n"')
    assert "nc=" not in written
    assert "qop=" not in written


@pytest.mark.parametrize("together", [True, False])
def test_the_strongest_challenge_is_answered(together: bool) -> None:
    weak, strong = 'Digest realm="r", nonce="a", algorithm=MD5', 'Digest realm="r", nonce="b", algorithm=SHA-256'
    odd = 'Basic realm="r"'
    written = answered(f"{odd}, {weak}, {strong}") if together else answered(odd, weak, strong)
    assert "algorithm=SHA-256" in written
    assert 'nonce="b"' in written
    assert written.count("Digest") == 1


@pytest.mark.parametrize(
    "challenge",
    [
        "", "Digest", 'Basic realm="r"', 'Digest realm="r"', 'Digest realm="r", nonce="n", algorithm=MD5-sess',
        'Digest realm="r", nonce="n", qop="auth-int"', "NoOneKnowsThisScheme opaque-data=here",
    ],
)  # fmt: skip
def test_challenges_that_cannot_be_answered(challenge: str) -> None:
    assert answered(challenge) == ""


def test_same_credentials_are_not_tried_twice() -> None:
    made = request()
    assert digest.answer(refusal('Digest realm="r", nonce="a"'), made, ALICE)
    assert not digest.answer(refusal('Digest realm="r", nonce="b"'), made, ALICE)


def test_a_stale_nonce_is_answered_again() -> None:
    made = request()
    assert digest.answer(refusal('Digest realm="r", nonce="a", qop="auth"'), made, ALICE)
    assert digest.answer(refusal('Digest realm="r", nonce="b", qop="auth", stale=TRUE'), made, ALICE)
    (value,) = made.headers.get("Authorization")
    assert 'nonce="b"' in value
    assert "nc=00000001" in value


def test_the_count_rises_when_a_nonce_is_used_again() -> None:
    made = request()
    assert digest.answer(refusal('Digest realm="r", nonce="a", qop="auth"'), made, ALICE)
    assert digest.answer(refusal('Digest realm="r", nonce="a", qop="auth", stale=true'), made, ALICE)
    assert "nc=00000002" in (made.headers.get_first("Authorization") or "")


def test_two_proxies_each_get_their_credentials() -> None:
    made = request()
    assert digest.answer(refusal('Digest realm="one", nonce="a"', code=407), made, ALICE)
    assert digest.answer(refusal('Digest realm="two", nonce="b"', code=407), made, ALICE)
    assert len(made.headers.get("Proxy-Authorization")) == 2


def test_names_and_realms_with_quotes_cannot_break_out() -> None:
    written = answered('Digest realm="a \\"b\\"", nonce="n"', who=Credentials('x", uri="y', "p\r\n"))
    assert 'username="x\\", uri=\\"y"' in written
    assert 'realm="a \\"b\\""' in written
    assert "\n" not in written


# -- server --------------------------------------------------------------------------------------------------


def signed(server: DigestServer, who: Credentials = ALICE, **more: str) -> SipRequest:
    """An INVITE with the right answer to a fresh challenge of ``server``."""
    made = request()
    assert digest.answer(refusal(server.challenge(**more)), made, who)  # type: ignore[arg-type]
    return made


def test_verify() -> None:
    async def scenario() -> None:
        server = DigestServer("parlons")
        assert server.verify(request(), lookup) is Verdict.ABSENT
        assert server.verify(request('Digest realm="other", username="alice"'), lookup) is Verdict.ABSENT
        assert server.verify(request("NoOneKnowsThisScheme opaque-data=here"), lookup) is Verdict.ABSENT
        assert server.verify(signed(server), lookup) is Verdict.OK
        assert server.verify(signed(server, algorithm="SHA-256"), lookup) is Verdict.OK
        assert server.verify(signed(server, Credentials("alice", "guess")), lookup) is Verdict.WRONG
        assert server.verify(signed(server, Credentials("bob", "secret")), lookup) is Verdict.WRONG
        assert server.verify(signed(server, Credentials("bob", "")), lookup) is Verdict.WRONG
        assert server.verify(signed(server, Credentials("Zoé", "secret")), lookup) is Verdict.WRONG

    run(scenario())


def test_a_nonce_expires_and_the_challenge_says_stale() -> None:
    async def scenario() -> None:
        server = DigestServer("parlons", nonce_seconds=60)
        made = signed(server)
        await asyncio.sleep(59)
        assert server.verify(made, lookup) is Verdict.OK
        late = signed(server)
        await asyncio.sleep(61)
        assert server.verify(late, lookup) is Verdict.STALE
        assert "stale=true" in server.challenge(stale=True)
        assert "stale" not in server.challenge()

    run(scenario())


def test_a_replay_is_refused_also_after_the_nonce_was_forgotten() -> None:
    async def scenario() -> None:
        server = DigestServer("parlons", nonce_seconds=60)
        first = signed(server)
        assert server.verify(first, lookup) is Verdict.OK
        assert server.verify(first, lookup) is Verdict.STALE
        with mock.patch.object(digest, "MAX_NONCES", 10):
            for _ in range(50):
                await asyncio.sleep(0.01)
                assert server.verify(signed(server), lookup) is Verdict.OK
            assert len(server._used) == 10
            assert server.verify(first, lookup) is Verdict.STALE
        await asyncio.sleep(200)
        assert server.verify(signed(server), lookup) is Verdict.OK
        assert len(server._used) == 1, "expired nonces are forgotten"

    run(scenario())


def test_a_higher_count_may_use_the_nonce_again() -> None:
    async def scenario() -> None:
        server = DigestServer("parlons")
        challenge = server.challenge()
        made = request()
        assert digest.answer(refusal(challenge), made, ALICE)
        assert server.verify(made, lookup) is Verdict.OK
        assert digest.answer(refusal(challenge + ", stale=true"), made, ALICE)
        assert server.verify(made, lookup) is Verdict.OK

    run(scenario())


def test_without_qop_a_nonce_counts_once() -> None:
    async def scenario() -> None:
        server = DigestServer("parlons")
        made = request()
        assert digest.answer(refusal(server.challenge().replace(', qop="auth"', "")), made, ALICE)
        assert server.verify(made, lookup) is Verdict.OK
        assert server.verify(made, lookup) is Verdict.STALE

    run(scenario())


def test_nonces_of_another_server_or_made_up_are_stale_not_trusted() -> None:
    async def scenario() -> None:
        server, other = DigestServer("parlons"), DigestServer("parlons")
        assert server.verify(signed(other), lookup) is Verdict.STALE
        for nonce in ("x", "..", "zz.zz.zz", "é"):
            made = request()
            assert digest.answer(refusal(f'Digest realm="parlons", nonce="{nonce}", qop="auth"'), made, ALICE)
            assert server.verify(made, lookup) is Verdict.STALE

    run(scenario())


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        ('uri="[^"]*"', 'uri="sip:premium@192.0.2.1"'), ("nc=[0-9a-f]*", "nc=1"), ("nc=[0-9a-f]*", "nc=00000000"),
        (", qop=auth", ", qop=auth-int"), ("algorithm=MD5", "algorithm=MD5-sess"), ('response="[^"]*"', 'response="é"'),
        ('response="[^"]*"', "x=y"), ('cnonce="[^"]*"', 'cnonce=""'),
    ],
)  # fmt: skip
def test_tampered_credentials(pattern: str, replacement: str) -> None:
    async def scenario() -> None:
        server = DigestServer("parlons")
        made = signed(server)
        value = made.headers.get("Authorization")[0]
        changed = re.sub(pattern, replacement, value)
        assert changed != value
        assert server.verify(request(changed), lookup) is Verdict.WRONG

    run(scenario())


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from('Digest realm="parlons",=\\é \x00<>'), max_size=60), st.text(max_size=20))
def test_hostile_credentials_never_raise(start: str, value: str) -> None:
    async def scenario() -> None:
        server = DigestServer("parlons")
        complete = (
            f'Digest realm="parlons", username="alice", uri="sip:100@192.0.2.1", response="{value}", nonce="{value}"'
        )
        for text in (start, complete, complete + f", qop=auth, nc={value}, cnonce={value}"):
            made = SipRequest(method="INVITE", uri="sip:100@192.0.2.1")
            made.headers.append("Authorization", re.sub("[\r\n]", " ", text))
            assert server.verify(made, lookup) in (Verdict.WRONG, Verdict.ABSENT)
            digest.answer(refusal(re.sub("[\r\n]", " ", text)), made, ALICE)

    run(scenario())


def test_the_uri_may_gain_parameters_on_the_way_but_not_another_target() -> None:
    async def scenario() -> None:
        server = DigestServer("parlons")
        made = signed(server)
        made.uri = "sip:100@192.0.2.1;user=phone"
        assert server.verify(made, lookup) is Verdict.OK
        made = signed(server)
        made.uri = "sip:101@192.0.2.1"
        assert server.verify(made, lookup) is Verdict.WRONG

    run(scenario())

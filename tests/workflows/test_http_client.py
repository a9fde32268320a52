"""The HTTP client against a server that misbehaves. Times are upper bounds far from what is measured."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import tracemalloc
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from parlons.workflows import bodies, http_client
from parlons.workflows.failures import (
    AddressRefused,
    ConnectFailed,
    ConnectionDropped,
    OutsideError,
    OutsideTimeout,
    RedirectRefused,
    ReplyInvalid,
    ReplyTooBig,
    RequestInvalid,
    UnexpectedStatus,
)
from parlons.workflows.http_client import HttpClient, Request

from .site import Site, answer, drip, drop, endless, hang, in_turn, moved, raw, site


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "MAX_RETRY_AFTER_SECONDS", 0.05)


def get(url: str, **headers: str) -> Request:
    return Request("GET", url, headers)


def post(url: str) -> Request:
    return Request("POST", url, {"Content-Type": "application/json"}, {}, b"{}")


async def test_json_and_text_are_read(web: Site, http: HttpClient) -> None:
    web.pages["/json"] = answer({"a": [1, "é"]})
    web.pages["/text"] = answer("caf\xe9".encode("latin-1"), type="text/plain; charset=iso-8859-1")
    web.pages["/untold"] = answer(b'\xef\xbb\xbf {"a": 1}', type="text/html")
    web.pages["/empty"] = answer(b"", status=204)
    reply = await http.send(Request("GET", web.url("/json?x=1"), {"X-A": "é"}, {"q": "à b&c"}))
    assert (reply.status, reply.body) == (200, {"a": [1, "é"]})
    assert web.asked[0].target == "/json?x=1&q=%C3%A0%20b%26c" or web.asked[0].target == "/json?x=1&q=%C3%A0+b%26c"
    assert web.asked[0].headers["host"] == f"127.0.0.1:{web.port}"
    assert (await http.send(get(web.url("/text")))).body == "café"
    assert (await http.send(get(web.url("/untold")))).body == {"a": 1}
    assert (await http.send(get(web.url("/empty")))).body is None
    assert web.opened == 1, "one connection was kept alive"


async def test_nobody_listens(http: HttpClient) -> None:
    async with site() as gone:
        url = gone.url("/")
    with pytest.raises(ConnectFailed) as caught:
        await http.send(get(url), retries=1)
    assert caught.value.owner == "provider"
    assert caught.value.retryable


@pytest.mark.parametrize("page", [hang, drip])
async def test_a_late_or_dripping_reply_is_given_up_in_time(web: Site, http: HttpClient, page: object) -> None:
    web.pages["/"] = page  # type: ignore[assignment]
    async with asyncio.timeout(5):
        with pytest.raises(OutsideTimeout):
            await http.send(get(web.url("/")), timeout=0.3)
    assert http.connections == []


async def test_a_read_that_is_cancelled_leaves_no_connection(web: Site, http: HttpClient) -> None:
    web.pages["/"] = hang
    task = asyncio.create_task(http.send(get(web.url("/")), timeout=30))
    async with asyncio.timeout(5):
        await web.came.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert http.connections == []


async def test_statuses_are_errors_unless_expected(web: Site, http: HttpClient) -> None:
    web.pages["/"] = answer({"why": "x"}, status=404)
    with pytest.raises(UnexpectedStatus) as caught:
        await http.send(get(web.url("/")))
    assert caught.value.reply.body == {"why": "x"}
    assert (await http.send(get(web.url("/")), expected=[404])).status == 404
    web.pages["/"] = answer(b"<broken", status=500)
    with pytest.raises(UnexpectedStatus):
        await http.send(get(web.url("/")), retries=3)
    assert len(web.asked) == 3, "500 is not retried"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_passing_trouble_is_retried(web: Site, http: HttpClient, status: int) -> None:
    later = answer(b"", status, [("Retry-After", "3600")])
    web.pages["/"] = in_turn(later, later, answer({"ok": True}))
    async with asyncio.timeout(5):
        assert (await http.send(post(web.url("/")), retries=2)).body == {"ok": True}
    web.pages["/"] = later
    with pytest.raises(UnexpectedStatus):
        await http.send(post(web.url("/")))
    assert len(web.asked) == 4, "no retries unless asked for"


@pytest.mark.parametrize("value", ["Wed, 21 Oct 2015 07:28:00 GMT", "-5", "soon", "1e400", "9" * 400, "²"])
async def test_a_strange_retry_after_does_no_harm(web: Site, http: HttpClient, value: str) -> None:
    web.pages["/"] = in_turn(answer(b"", 503, [("Retry-After", value)]), answer({}))
    async with asyncio.timeout(5):
        assert (await http.send(get(web.url("/")), retries=1)).status == 200


async def test_a_kept_connection_that_was_closed(web: Site, http: HttpClient) -> None:
    web.pages["/"] = in_turn(answer({"n": 1}), drop, answer({"n": 2}))
    assert (await http.send(get(web.url("/")))).body == {"n": 1}
    assert (await http.send(get(web.url("/")))).body == {"n": 2}


async def test_a_post_that_was_dropped_is_not_sent_twice(web: Site, http: HttpClient) -> None:
    web.pages["/"] = drop
    with pytest.raises(ConnectionDropped):
        await http.send(post(web.url("/")), retries=3)
    assert len(web.asked) == 1
    with pytest.raises(ConnectionDropped):
        await http.send(get(web.url("/")))
    assert len(web.asked) == 3, "a GET once more, and no oftener"


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01\x02 no http\r\n\r\n",
        b"SIP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
    ],
)
async def test_what_is_no_http(web: Site, http: HttpClient, data: bytes) -> None:
    web.pages["/"] = raw(data)
    with pytest.raises(ConnectionDropped):
        await http.send(post(web.url("/")))


async def test_big_replies_are_not_read(web: Site, http: HttpClient) -> None:
    web.pages["/declared"] = answer(b"x" * 2_000_000, type="text/plain")
    web.pages["/endless"] = endless
    web.pages["/just"] = answer(b"x" * 1_000_000, type="text/plain")
    for path in ("/declared", "/endless"):
        async with asyncio.timeout(10):
            with pytest.raises(ReplyTooBig):
                await http.send(get(web.url(path)), timeout=10)
    assert http.connections == []
    assert len((await http.send(get(web.url("/just")))).text) == 1_000_000


async def test_packed_replies(web: Site, http: HttpClient) -> None:
    packed = [("Content-Encoding", "gzip")]
    web.pages["/gzip"] = answer(gzip.compress(b'{"a": 1}'), headers=packed)
    web.pages["/deflate"] = answer(zlib.compress(b'{"a": 1}'), headers=[("Content-Encoding", "deflate")])
    web.pages["/bomb"] = answer(gzip.compress(b"\0" * 40_000_000, 9), headers=packed)
    web.pages["/small-bomb"] = answer(gzip.compress(b" " * 1_000_001), headers=packed)
    web.pages["/broken"] = answer(b"not gzip", headers=packed)
    web.pages["/cut"] = answer(gzip.compress(b'{"a": 1}')[:-9], headers=packed)
    web.pages["/brotli"] = answer(b"{}", headers=[("Content-Encoding", "br")])
    web.pages["/twice"] = answer(b"{}", headers=[("Content-Encoding", "gzip, gzip")])
    assert (await http.send(get(web.url("/gzip")))).body == {"a": 1}
    assert (await http.send(get(web.url("/deflate")))).body == {"a": 1}
    for path in ("/bomb", "/small-bomb"):
        with pytest.raises(ReplyTooBig):
            await http.send(get(web.url(path)))
    for path in ("/broken", "/cut", "/brotli", "/twice"):
        with pytest.raises(ReplyInvalid):
            await http.send(get(web.url(path)))


@pytest.mark.parametrize("size", [1, 7, 65_536])
def test_a_bomb_is_never_held_unpacked(size: int) -> None:
    bomb = gzip.compress(b"\0" * 20_000_000, 9)
    unpacker, refused = bodies.Unpacker("gzip", 100_000), False
    tracemalloc.start()
    try:
        for at in range(0, len(bomb), size):
            unpacker.feed(bomb[at : at + size])
    except ReplyTooBig:
        refused = True
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused
    assert peak < 1_000_000


def test_what_travels_is_bounded_though_it_unpacks_to_nothing() -> None:
    unpacker = bodies.Unpacker("gzip", 1000)
    unpacker.feed(gzip.compress(b"{}"))
    with pytest.raises(ReplyTooBig):
        unpacker.feed(b"x" * 1000)


async def test_a_post_that_timed_out_is_not_sent_twice(web: Site, http: HttpClient) -> None:
    web.pages["/"] = hang
    with pytest.raises(OutsideTimeout):
        await http.send(post(web.url("/")), timeout=0.2, retries=2)
    assert len(web.asked) == 1
    with pytest.raises(OutsideTimeout):
        await http.send(get(web.url("/")), timeout=0.2, retries=1)
    assert len(web.asked) == 3


async def test_a_literal_ipv6_address(http: HttpClient) -> None:
    server = await asyncio.start_server((web := Site()).serve, "::1", 0)
    web.port = server.sockets[0].getsockname()[1]
    web.pages["/"] = answer({"six": True})
    assert (await http.send(get(web.url("/", "[::1]")))).body == {"six": True}
    assert web.asked[0].headers["host"] == f"[::1]:{web.port}"
    server.close()


@pytest.mark.parametrize(
    "body", [b"{", b"{'a': 1}", b'{"a": NaN}', b"[" * 100_000, b"[" * 80 + b"]" * 80, b"9" * 5000, b"\xff\xfe\x00"]
)
async def test_json_that_is_none(web: Site, http: HttpClient, body: bytes) -> None:
    web.pages["/"] = answer(body)
    with pytest.raises(ReplyInvalid):
        await http.send(get(web.url("/")))
    made = Request("GET", web.url("/"), any_reply=True)
    assert (await http.send(made)).status == 200


async def test_characters_no_database_takes_are_replaced(web: Site, http: HttpClient) -> None:
    web.pages["/"] = answer(rb'{"a\u0000": ["\ud800x", "\ud83d\ude00"]}')
    assert (await http.send(get(web.url("/")))).body == {"a\ufffd": ["\ufffdx", "\U0001f600"]}


async def test_loopback_is_refused(web: Site) -> None:
    web.pages["/"] = answer({})
    client = HttpClient()
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]"):
        with pytest.raises(AddressRefused):
            await client.send(get(web.url("/", host)))
    await client.aclose()
    assert web.opened == 0


async def test_a_name_that_changes_after_the_check_changes_nothing(web: Site) -> None:
    """DNS rebinding: the first answer is public, the second is ours; only the first is connected to."""
    answers = [["192.0.2.1"], ["127.0.0.1"], ["127.0.0.1"]]
    asked: list[str] = []

    async def resolver(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return answers.pop(0)

    web.pages["/"] = answer({"inside": True})
    client = HttpClient(resolver=resolver)
    for _ in range(3):
        with pytest.raises(AddressRefused):
            await client.send(get(web.url("/", "rebind.test")), timeout=0.5)
    assert asked == ["rebind.test"] * 3, "one look-up for one connection"
    assert web.opened == 0
    await client.aclose()


async def test_redirects(web: Site, http: HttpClient) -> None:
    web.pages["/end"] = answer({"end": True})
    web.pages["/a"] = moved("/b", 302)
    web.pages["/b"] = moved("end", 308)
    assert (await http.send(get(web.url("/a"), Authorization="Bearer s3cret"))).body == {"end": True}
    assert web.asked[-1].headers["authorization"] == "Bearer s3cret"
    await http.send(Request("POST", web.url("/a"), {"Content-Type": "text/plain"}, {}, b"hi"))
    assert (web.asked[-1].method, web.asked[-1].body) == ("GET", b"")
    assert "content-type" not in web.asked[-1].headers
    web.pages["/a"] = moved("/end", 307)
    await http.send(post(web.url("/a")))
    assert (web.asked[-1].method, web.asked[-1].body) == ("POST", b"{}")


@pytest.mark.parametrize("to", ["/loop", "ftp://x.test/", "file:///etc/passwd", "http://a:b@x.test/", "http://0x7f.1/"])
async def test_redirects_that_are_not_followed(web: Site, http: HttpClient, to: str) -> None:
    web.pages["/loop"] = moved(to)
    with pytest.raises(RedirectRefused):
        await http.send(get(web.url("/loop")))
    assert len(web.asked) <= 6


@pytest.mark.parametrize("host", ["localhost", "[::ffff:127.0.0.1]", "inside.test"])
async def test_no_redirect_leads_into_a_private_network(web: Site, host: str) -> None:
    """Also when the operator allowed private addresses: what a person may write, a reply may not."""

    async def resolver(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    web.pages["/"] = moved(web.url("/inside", host))
    web.pages["/inside"] = answer({"inside": True})
    client = HttpClient(allow_private=lambda: True, resolver=resolver)
    with pytest.raises(AddressRefused):
        await client.send(get(web.url("/", "outside.test")))
    assert [asked.target for asked in web.asked] == ["/"]
    await client.aclose()


async def test_secrets_do_not_follow_to_another_origin(web: Site, http: HttpClient) -> None:
    async with site() as other:
        other.pages["/"] = answer({})
        web.pages["/"] = moved(other.url("/"), 307)
        await http.send(get(web.url("/"), Authorization="Bearer s3cret", **{"X-Key": "s3cret", "Accept": "a/b"}))
        assert "s3cret" not in str(other.asked)
        assert other.asked[0].headers["accept"] == "a/b"
        with pytest.raises(RedirectRefused):
            await http.send(post(web.url("/")))
        assert len(other.asked) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "a\r\nX-B: b"},
        {"X-A": "a\nb"},
        {"X-A": "a\x00b"},
        {"X A": "b"},
        {"X-A\r\nX-B": "c"},
        {"": "b"},
        {"Host": "inside"},
        {"Content-Length": "3"},
        {"Transfer-Encoding": "chunked"},
        {"Proxy-Authorization": "x"},
        {"X-A": "x" * 9000},
    ],
)
async def test_headers_that_cannot_be_sent(web: Site, http: HttpClient, headers: dict[str, str]) -> None:
    with pytest.raises(RequestInvalid):
        await http.send(Request("GET", web.url("/"), headers))
    assert web.asked == []


async def test_cookies_and_proxies_of_the_environment_play_no_part(
    web: Site, http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    web.pages["/"] = answer({}, headers=[("Set-Cookie", "session=1")])
    await http.send(get(web.url("/")))
    await http.send(get(web.url("/")))
    assert "cookie" not in web.asked[1].headers


def certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


async def test_tls_verifies_the_name_though_the_address_was_chosen_here(tmp_path: Path) -> None:
    pem = certificate(tmp_path, "good.test")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)

    async def resolver(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with site(server) as web:
        web.pages["/"] = answer({"ok": True})
        client = HttpClient(
            allow_private=lambda: True, resolver=resolver, tls=ssl.create_default_context(cafile=str(pem))
        )
        assert (await client.send(get(f"https://good.test:{web.port}/"))).body == {"ok": True}
        with pytest.raises(ConnectFailed, match="certificate"):
            await client.send(get(f"https://bad.test:{web.port}/"))
        await client.aclose()
        stranger = HttpClient(allow_private=lambda: True, resolver=resolver)
        with pytest.raises(ConnectFailed, match="certificate"):
            await stranger.send(get(f"https://good.test:{web.port}/"))
        await stranger.aclose()


async def test_every_failure_is_of_the_tree_and_names_no_query(web: Site, http: HttpClient) -> None:
    web.pages["/"] = drop
    with pytest.raises(OutsideError) as caught:
        await http.send(post(web.url("/?token=s3cret")))
    assert "s3cret" not in str(caught.value)

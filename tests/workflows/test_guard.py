"""Where outgoing HTTP may go."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import Sequence
from typing import Any

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parlons.workflows import guard
from parlons.workflows.failures import AddressRefused, NameNotFound, RequestInvalid
from parlons.workflows.guard import Guard, check_url, refusal

from ..support.virtual_time import run

REFUSED = """127.0.0.1 127.8.9.1 0.0.0.0 0.1.2.3 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1
169.254.169.254 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255 192.0.2.1 198.18.0.1 198.51.100.7 203.0.113.9
192.0.0.8 192.88.99.1 :: ::1 fe80::1 fe80::1%1 fc00::1 fd00:ec2::254 fec0::1 ff02::1 2001:db8::1 100::1
3fff::1 5f00::1 4000::1
::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 ::10.1.1.1 ::ffff:0:127.0.0.1
2002:7f00:1:: 2002:a00:1::1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1
2001:0:4136:e378:8000:63bf:80ff:fffe""".split()
REACHED = """1.1.1.1 8.8.8.8 93.184.216.34 172.32.0.1 100.63.255.255 2606:4700::1111 2a00:1450:4007::200e
::ffff:8.8.8.8 2002:808:808::1 64:ff9b::808:808""".split()


@pytest.mark.parametrize("address", REFUSED)
def test_special_addresses_are_refused(address: str) -> None:
    assert refusal(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", REACHED)
def test_public_addresses_are_not(address: str) -> None:
    assert refusal(ipaddress.ip_address(address)) is None


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_judged_as_itself(inner: ipaddress.IPv4Address) -> None:
    number, verdict = int(inner), refusal(inner) is None
    for outer in (
        ipaddress.IPv6Address((0xFFFF << 32) | number),
        ipaddress.IPv6Address((0x2002 << 112) | (number << 80)),
        ipaddress.IPv6Address((0x64FF9B << 96) | number),
    ):
        assert (refusal(outer) is None) == verdict


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com",
        "//example.com/",
        "example.com",
        "",
        "http://",
        "http:///path",
        "http://user:pass@example.com/",
        "http://user@example.com/",
        "http://127.0.0.1@example.com/",
        "http://example.com\\@127.0.0.1/",
        "http://example.com/a\r\nHost: b",
        "http://example.com:0/",
        "http://example.com:99999/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.0.1.1/",
        "http://1.2.3.08/",
        "http://[::1/",
        "http://exa mple.com/",
        "http://example.com/" + "x" * 9000,
    ],
)
def test_urls_that_are_not_asked_for(url: str) -> None:
    with pytest.raises(RequestInvalid):
        check_url(url)


@pytest.mark.parametrize(
    "url", ["http://example.com", "https://exämple.com/é?q=à b", "http://1.2.3.4:81/", "http://[2606::1]/"]
)
def test_urls_that_are(url: str) -> None:
    assert check_url(url).host


@given(st.text(max_size=60))
def test_any_text_is_a_url_or_a_clear_error(text: str) -> None:
    for url in (text, f"http://{text}", f"https://example.com{text}"):
        with contextlib.suppress(RequestInvalid):
            assert check_url(url).scheme in ("http", "https")


async def found(*addresses: str, allow: bool = False) -> list[str]:
    async def resolver(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return await Guard(lambda: allow, resolver).addresses("name.test", 80)


async def test_only_the_public_addresses_of_a_name_are_tried() -> None:
    assert await found("10.0.0.1", "1.1.1.1", "::1") == ["1.1.1.1"]
    assert len(await found(*[f"1.1.1.{n}" for n in range(9)])) == guard.MAX_ADDRESSES


async def test_a_name_with_private_addresses_alone_is_refused_unless_allowed() -> None:
    with pytest.raises(AddressRefused, match="allow_private_addresses"):
        await found("10.0.0.1", "::1")
    assert await found("10.0.0.1", allow=True) == ["10.0.0.1"]


async def test_the_address_that_was_checked_is_the_one_connected_to() -> None:
    """A second look-up would find another one."""
    answers = [["10.0.0.1", "1.1.1.1", "8.8.8.8"], ["127.0.0.1"]]
    tried: list[str] = []

    async def resolver(_host: str, _port: int) -> Sequence[str]:
        return answers.pop(0)

    class Network(httpcore.AsyncMockBackend):
        async def connect_tcp(self, host: str, *args: Any, **more: Any) -> httpcore.AsyncNetworkStream:
            tried.append(host)
            if host == "1.1.1.1":
                raise httpcore.ConnectError
            return await super().connect_tcp(host, *args, **more)

    await Guard(lambda: False, resolver, Network([])).connect_tcp("rebind.test", 443, 5)
    assert tried == ["1.1.1.1", "8.8.8.8"]
    assert len(answers) == 1, "one look-up"


async def test_a_name_without_addresses() -> None:
    with pytest.raises(NameNotFound):
        await found()
    with pytest.raises(NameNotFound):
        await found("not an address")


def test_a_name_service_that_hangs_is_given_up() -> None:
    async def resolver(_host: str, _port: int) -> Sequence[str]:
        await asyncio.sleep(3600)
        return ["1.1.1.1"]

    async def ask() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(NameNotFound):
            await Guard(lambda: False, resolver).addresses("name.test", 80)
        return loop.time() - began

    assert run(ask()) == pytest.approx(guard.DNS_SECONDS)


async def test_the_systems_resolver_knows_localhost() -> None:
    assert set(await guard.resolve("localhost", 80)) <= {"127.0.0.1", "::1"}
    with pytest.raises(NameNotFound):
        await Guard(lambda: False).addresses("no-such-name.invalid", 80)

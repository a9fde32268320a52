"""The resolver against a name server made of a dictionary, on virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Literal, cast
from unittest import mock

import pytest

from parlons.telephony.sip import resolver as resolver_module
from parlons.telephony.sip.resolver import DnsDown, NoSuchRecord, Record, Resolver, UnresolvableName
from tests.support.virtual_time import run

NO_HOSTS = None


class FakeDns:
    """Records by (name, kind); counts questions; can be down or slow."""

    def __init__(self, records: dict[tuple[str, str], list[Record]], ttl: float = 100) -> None:
        self.records, self.ttl = records, ttl
        self.asked: Counter[tuple[str, str]] = Counter()
        self.down: set[str] = set()
        self.seconds = 0.05

    async def query(self, name: str, kind: Literal["SRV", "A", "AAAA"]) -> tuple[list[Record], float]:
        self.asked[name, kind] += 1
        await asyncio.sleep(self.seconds)
        if kind in self.down:
            raise DnsDown("no answer")
        if (name, kind) not in self.records:
            raise NoSuchRecord(name)
        return self.records[name, kind], self.ttl


def one_host(ttl: float = 100) -> FakeDns:
    return FakeDns({("trunk.test", "A"): [Record("192.0.2.1")]}, ttl)


ALL = {"SRV", "A", "AAAA"}


@pytest.mark.parametrize(
    ("host", "port", "address"),
    [
        ("192.0.2.7", None, ("192.0.2.7", 5060)),
        ("192.0.2.7", 5070, ("192.0.2.7", 5070)),
        ("[2001:db8::1]", 5070, ("2001:db8::1", 5070)),
        ("2001:db8::1", None, ("2001:db8::1", 5060)),
    ],
)
def test_literals_ask_nobody(host: str, port: int | None, address: tuple[str, int]) -> None:
    async def scenario() -> None:
        dns = FakeDns({})
        resolver = Resolver(dns, NO_HOSTS)
        assert resolver.lookup_cached(host, port) == address
        assert await resolver.resolve(host, port) == address
        assert not dns.asked

    run(scenario())


def test_srv_gives_host_and_port_by_priority() -> None:
    async def scenario() -> None:
        dns = FakeDns(
            {
                ("_sip._udp.trunk.test", "SRV"): [Record("b.test", 5072, 20, 0), Record("a.test", 5071, 10, 0)],
                ("a.test", "A"): [Record("192.0.2.1")],
                ("b.test", "AAAA"): [Record("2001:db8::2")],
                ("trunk.test", "A"): [Record("192.0.2.99")],
            }
        )
        resolver = Resolver(dns, NO_HOSTS)
        assert await resolver.resolve_all("Trunk.Test.") == (("192.0.2.1", 5071), ("2001:db8::2", 5072))
        assert await resolver.resolve("trunk.test", 5060) == ("192.0.2.99", 5060), "with a port SRV is not asked"
        await resolver.close()

    run(scenario())


def test_srv_target_without_an_address_is_passed_over() -> None:
    async def scenario() -> None:
        records = {
            ("_sip._udp.trunk.test", "SRV"): [Record("gone.test", 5071, 1, 0), Record("b.test", 5072, 2, 0)],
            ("b.test", "A"): [Record("192.0.2.2")],
        }
        resolver = Resolver(FakeDns(records), NO_HOSTS)
        assert await resolver.resolve("trunk.test") == ("192.0.2.2", 5072)
        await resolver.close()

    run(scenario())


def test_srv_that_says_no_such_service() -> None:
    async def scenario() -> None:
        records = {("_sip._udp.trunk.test", "SRV"): [Record("", 0, 0, 0)], ("trunk.test", "A"): [Record("192.0.2.1")]}
        resolver = Resolver(FakeDns(records), NO_HOSTS)
        with pytest.raises(UnresolvableName):
            await resolver.resolve("trunk.test")

    run(scenario())


def test_weights_are_drawn_but_the_choice_stays_over_renewals() -> None:
    async def scenario() -> None:
        targets = [Record(f"192.0.2.{i}", 5060, 1, 10) for i in range(1, 9)]
        dns = FakeDns({("_sip._udp.trunk.test", "SRV"): targets})
        drawn = set()
        for _ in range(30):
            resolver = Resolver(dns, NO_HOSTS)
            first = await resolver.resolve("trunk.test")
            drawn.add(first)
            await asyncio.sleep(100)
            assert await resolver.resolve("trunk.test") == first
            await resolver.close()
        assert len(drawn) > 1

    run(scenario(), limit=10_000)


def test_hosts_file_and_localhost_come_before_dns(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("::5 PBX.test\n192.0.2.5\tpbx.test other # comment\nrubbish line\n\n")

    async def scenario() -> None:
        dns = FakeDns({})
        resolver = Resolver(dns, hosts)
        assert await resolver.resolve_all("pbx.test") == (("192.0.2.5", 5060), ("::5", 5060))
        assert await resolver.resolve("localhost", 5070) == ("127.0.0.1", 5070)
        assert not dns.asked
        await resolver.close()
        resolver = Resolver(dns, tmp_path / "there is none")
        assert await resolver.resolve("localhost") == ("127.0.0.1", 5060)
        await resolver.close()

    run(scenario())


def test_many_callers_ask_once() -> None:
    async def scenario() -> None:
        dns = one_host()
        resolver = Resolver(dns, NO_HOSTS)
        found = await asyncio.gather(*(resolver.resolve("trunk.test", 5060) for _ in range(20)))
        assert set(found) == {("192.0.2.1", 5060)}
        assert dns.asked["trunk.test", "A"] == 1
        await resolver.close()

    run(scenario())


def test_a_caller_that_gives_up_does_not_take_the_others_with_it() -> None:
    async def scenario() -> None:
        dns = one_host()
        resolver = Resolver(dns, NO_HOSTS)
        impatient = asyncio.create_task(resolver.resolve("trunk.test", 5060))
        patient = asyncio.create_task(resolver.resolve("trunk.test", 5060))
        await asyncio.sleep(0.01)
        impatient.cancel()
        assert await patient == ("192.0.2.1", 5060)
        await resolver.close()

    run(scenario())


@pytest.mark.parametrize(("ttl", "renewed_by"), [(100, 81), (1, 25), (10**6, 2881)])
def test_renewed_before_it_expires_within_bounds(ttl: float, renewed_by: float) -> None:
    async def scenario() -> None:
        dns = one_host(ttl)
        resolver = Resolver(dns, NO_HOSTS)
        resolver.prime("trunk.test", 5060)
        await asyncio.sleep(1)
        dns.records["trunk.test", "A"] = [Record("192.0.2.2")]
        await asyncio.sleep(renewed_by - 2)
        assert dns.asked["trunk.test", "A"] == 1, "not before 80 % of the time to live"
        await asyncio.sleep(2)
        assert resolver.lookup_cached("trunk.test", 5060) == ("192.0.2.2", 5060)
        await resolver.close()

    run(scenario(), limit=10_000)


def test_the_old_answer_serves_at_once_while_dns_is_down() -> None:
    async def scenario() -> None:
        dns = one_host()
        resolver = Resolver(dns, NO_HOSTS)
        await resolver.resolve("trunk.test", 5060)
        dns.down = ALL
        dns.seconds = 4
        loop = asyncio.get_running_loop()
        for _ in range(50):
            await asyncio.sleep(20)
            before = loop.time()
            assert await resolver.resolve("trunk.test", 5060) == ("192.0.2.1", 5060)
            assert loop.time() == before
        dns.down = set()
        dns.records["trunk.test", "A"] = [Record("192.0.2.2")]
        await asyncio.sleep(40)
        assert await resolver.resolve("trunk.test", 5060) == ("192.0.2.2", 5060)
        await resolver.close()

    run(scenario())


def test_a_name_with_srv_does_not_fall_back_to_5060_when_srv_fails_later() -> None:
    async def scenario() -> None:
        dns = FakeDns(
            {
                ("_sip._udp.trunk.test", "SRV"): [Record("a.test", 5071, 1, 0)],
                ("a.test", "A"): [Record("192.0.2.1")],
                ("trunk.test", "A"): [Record("192.0.2.99")],
            }
        )
        resolver = Resolver(dns, NO_HOSTS)
        await resolver.resolve("trunk.test")
        dns.down = {"SRV"}
        await asyncio.sleep(500)
        assert await resolver.resolve("trunk.test") == ("192.0.2.1", 5071)
        await resolver.close()
        fresh = Resolver(dns, NO_HOSTS)
        assert await fresh.resolve("trunk.test") == ("192.0.2.99", 5060), "a server that chokes on SRV is no obstacle"
        await fresh.close()

    run(scenario())


def test_failure_is_an_error_that_is_remembered_for_a_moment() -> None:
    async def scenario() -> None:
        dns = FakeDns({})
        resolver = Resolver(dns, NO_HOSTS)
        for _ in range(3):
            with pytest.raises(UnresolvableName, match=r"nowhere\.test"):
                await resolver.resolve("nowhere.test", 5060)
        assert dns.asked["nowhere.test", "A"] == 1
        dns.records["nowhere.test", "A"] = [Record("192.0.2.3")]
        await asyncio.sleep(6)
        assert await resolver.resolve("nowhere.test", 5060) == ("192.0.2.3", 5060)
        await resolver.close()

    run(scenario())


def test_a_primed_name_is_at_hand_later() -> None:
    async def scenario() -> None:
        dns = one_host()
        resolver = Resolver(dns, NO_HOSTS)
        resolver.prime("trunk.test", 5060)
        resolver.prime("trunk.test", 5060)
        resolver.prime("nowhere.test", 5060)
        assert resolver.lookup_cached("trunk.test", 5060) is None
        await asyncio.sleep(1)
        assert resolver.lookup_cached("trunk.test", 5060) == ("192.0.2.1", 5060)
        resolver.prime("trunk.test", 5060)
        resolver.prime("nowhere.test", 5060)
        assert dns.asked["trunk.test", "A"] == dns.asked["nowhere.test", "A"] == 1
        await resolver.close()

    run(scenario())


def test_what_nobody_asks_for_is_forgotten() -> None:
    async def scenario() -> None:
        dns = one_host()
        dns.records["other.test", "A"] = [Record("192.0.2.4")]
        resolver = Resolver(dns, NO_HOSTS)
        resolver.prime("other.test", 5060)
        for _ in range(300):
            await resolver.resolve("trunk.test", 5060)
            await asyncio.sleep(30)
        assert resolver.lookup_cached("trunk.test", 5060) is not None
        assert resolver.lookup_cached("other.test", 5060) is None
        await resolver.close()

    run(scenario(), limit=100_000)


def test_names_that_peers_make_up_do_not_pile_up() -> None:
    async def scenario() -> None:
        dns = FakeDns({(f"{i}.test", "A"): [Record("192.0.2.4")] for i in range(20)})
        resolver = Resolver(dns, NO_HOSTS)
        with mock.patch.object(resolver_module, "MAX_NAMES", 10):
            for i in range(40):
                resolver.prime(f"{i}.test", 5060)
                await asyncio.sleep(0.2)
            assert await resolver.resolve("15.test", 5060) == ("192.0.2.4", 5060), "served, if not kept"
            assert len(resolver._cache) == 10
            assert len(resolver._failed) <= 10
        await resolver.close()

    run(scenario())


def test_close_leaves_nothing_running() -> None:
    async def scenario() -> None:
        dns, before = one_host(), asyncio.all_tasks()
        resolver = Resolver(dns, NO_HOSTS)
        resolver.prime("trunk.test", 5060)
        resolver.prime("never.test", 5060)
        await asyncio.sleep(0.01)
        await resolver.close()
        await asyncio.sleep(500)
        assert dns.asked.total() <= 2
        assert asyncio.all_tasks() == before

    run(scenario())


def test_the_system_resolver_speaks_dns() -> None:
    """Against a name server of one answer, over a real socket."""
    import dns.message
    import dns.rdatatype
    import dns.rrset

    from parlons.telephony.sip.resolver import SystemDns

    class Server(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast(asyncio.DatagramTransport, transport)

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            asked = dns.message.from_wire(data)
            answer = dns.message.make_response(asked)
            name, kind = asked.question[0].name, asked.question[0].rdtype
            if kind == dns.rdatatype.SRV:
                answer.answer.append(dns.rrset.from_text(name, 77, "IN", "SRV", "1 2 5075 a.test."))
            elif kind == dns.rdatatype.A:
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.8"))
            self.transport.sendto(answer.to_wire(), addr)

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
        try:
            system = SystemDns()
            system._resolver.nameservers = ["127.0.0.1"]
            system._resolver.port = transport.get_extra_info("sockname")[1]
            assert await system.query("_sip._udp.trunk.test", "SRV") == ([Record("a.test", 5075, 1, 2)], 77.0)
            assert await system.query("a.test", "A") == ([Record("192.0.2.8")], 60.0)
            with pytest.raises(NoSuchRecord):
                await system.query("a.test", "AAAA")
            with pytest.raises(DnsDown):
                await system.query("a" * 70 + ".test", "A")
            resolver = Resolver(system, NO_HOSTS)
            assert await resolver.resolve("trunk.test") == ("192.0.2.8", 5075)
            await resolver.close()
        finally:
            transport.close()

    asyncio.run(scenario())

"""What went over the loopback wire, by tshark: the RTP that a peer heard, when the peer itself cannot record."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from pathlib import Path

from tests.support.phone_rtp import RtpEnd


@contextlib.asynccontextmanager
async def capture(path: Path, expression: str) -> AsyncIterator[None]:
    """Capture what the filter ``expression`` (pcap syntax) lets through into ``path`` while the block runs."""
    process = await asyncio.create_subprocess_exec(
        "tshark", "-i", "lo", "-f", expression, "-F", "pcap", "-w", str(path), "-q",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    said = b""
    async with asyncio.timeout(15):
        while b"Capturing on" not in said:
            line = await process.stderr.readline()
            if not line:
                raise AssertionError(f"tshark did not start: {said.decode(errors='replace')}")
            said += line
    await asyncio.sleep(0.5)  # it says so a moment before it does
    try:
        yield
    finally:
        process.terminate()
        await asyncio.wait_for(process.communicate(), 15)


def heard_at(path: Path, port: int, codec: str = "PCMA") -> RtpEnd:
    """The RTP that was sent to a port, as a phone's ear (times are the capture's)."""
    ear = RtpEnd()
    ear.codec = codec
    for at, source, destination, payload in datagrams(path):
        if destination == port and source != port:
            ear.hear(payload, at)
    return ear


def datagrams(path: Path) -> list[tuple[float, int, int, bytes]]:
    """(time, source port, destination port, payload) of every UDP datagram of a classic pcap file of Ethernet, IPv4."""
    data = path.read_bytes()
    (magic,) = struct.unpack("<I", data[:4])
    scale = {0xA1B2C3D4: 1e-6, 0xA1B23C4D: 1e-9}[magic]
    found, position = [], 24
    while position + 16 <= len(data):
        seconds, fraction, length, _ = struct.unpack("<IIII", data[position : position + 16])
        frame = data[position + 16 : position + 16 + length]
        position += 16 + length
        if len(frame) < 42 or frame[12:14] != b"\x08\x00" or frame[23] != 17:
            continue
        start = 14 + 4 * (frame[14] & 0x0F)
        source, destination, size = struct.unpack("!HHH", frame[start : start + 6])
        found.append((seconds + fraction * scale, source, destination, frame[start + 8 : start + size]))
    return found

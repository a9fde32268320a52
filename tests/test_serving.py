"""The sockets that the server listens on."""

from __future__ import annotations

import asyncio
import socket

from parlons import serving


async def test_an_answer_does_not_wait_for_the_one_before_to_be_acknowledged() -> None:
    """TCP_NODELAY on what is accepted: else each answer on a kept connection comes 40 ms late."""
    accepted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def meet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock: socket.socket = writer.get_extra_info("socket")
        accepted.set_result(bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
        writer.close()

    server = await asyncio.start_server(meet, sock=serving._tcp("127.0.0.1", 0))
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await asyncio.wait_for(accepted, 5)
        writer.close()

"""Ports that are opened for browsers and programs."""

from __future__ import annotations

import asyncio
import socket

import pytest
from on_a_thread import run
from optional import leave_out

from photosearch.serving.hosts import open_port


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_an_answers_end_does_not_wait_for_its_beginning_to_be_confirmed(host: str) -> None:
    try:
        listener = open_port(host, 0)
    except OSError:
        leave_out(f"a network that has {host}")

    async def connect() -> int:
        accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def arrived(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            option = (socket.IPPROTO_TCP, socket.TCP_NODELAY)
            accepted.set_result(writer.get_extra_info("socket").getsockopt(*option))
            writer.close()

        async with await asyncio.start_server(arrived, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname()[:2])
            writer.close()
            await writer.wait_closed()
            return await accepted

    assert run(connect()) != 0

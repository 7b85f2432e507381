"""What the doors listen on."""

from __future__ import annotations

import asyncio
import socket

import pytest

from api.cli.serving import listening
from domain.errors import InputError


def test_no_answer_is_held_back_by_the_network_to_be_sent_with_the_next() -> None:
    async def delayed() -> int:
        with listening("127.0.0.1", 0) as listener:
            taken: asyncio.Future[int] = asyncio.get_running_loop().create_future()

            async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                taken.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
                writer.close()

            async with await asyncio.start_server(take, sock=listener):
                _, writer = await asyncio.open_connection(*listener.getsockname())
                try:
                    return await asyncio.wait_for(taken, 10)
                finally:
                    writer.close()
                    await writer.wait_closed()

    assert asyncio.run(delayed()) == 1


def test_a_taken_port_is_said_with_the_option_that_names_another() -> None:
    with (
        listening("127.0.0.1", 0) as listener,
        pytest.raises(InputError, match="--port"),
        listening("127.0.0.1", listener.getsockname()[1]),
    ):
        raise AssertionError

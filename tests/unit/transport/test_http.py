"""Connections of a client that several event loops share."""

import asyncio
import threading

import pytest
import raw_server

from llm_gateway.transport.http import AsyncPool
from llm_gateway.types import WireRequest


@pytest.fixture
def server():
    """A server that keeps each connection open until the client closes it."""
    made = raw_server.RawServer(lambda connection: connection.sendall(raw_server.reply(b"{}")))
    yield made
    made.close()


def test_loops_keep_their_own_connections(server):
    """Loops that take turns keep each other's connections."""
    pool, request = AsyncPool(5.0, 5.0), WireRequest("POST", server.url)
    turns, clients = threading.Barrier(2, timeout=60), []

    async def main():
        for _ in range(3):
            turns.wait()
            clients.append(pool._connected())
            assert b"{}" == (await pool.send(WireRequest("POST", server.url, (("connection", "close"),)))).body
        await pool.close()

    threads = [threading.Thread(target=asyncio.run, args=(main(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 2 == len({id(client) for client in clients})
    assert 6 == len(clients)
    assert asyncio.run(_send_after_a_closed_loop(pool, request)) == b"{}"


async def _send_after_a_closed_loop(pool, request):
    """The connections of a closed loop are dropped when another loop connects."""
    pool._clients[asyncio.new_event_loop()] = object()
    next(iter(pool._clients)).close()
    reply = await pool.send(request)
    assert [asyncio.get_running_loop()] == list(pool._clients)
    await pool.close()
    return reply.body

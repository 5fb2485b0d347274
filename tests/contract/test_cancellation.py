"""A call that is stopped: the server sees its connection closed, and what was used so far is settled."""

import asyncio
import contextlib
import os
import signal
import threading

import pytest
import raw_server

from llm_gateway import GatewayConfig, LLMClient, SyncLLMClient
from llm_gateway.types import ChatReply, TextPart, TokenUsage
from llm_gateway.wire import anthropic

ITEMS = list(
    anthropic.DIALECT.encode_stream(
        ChatReply((TextPart("hello"),), "claude-haiku-4-5", "id", "end_turn", TokenUsage(11, 7)), chunks=["hel", "lo"]
    )
)
HANG_S = 60
"""How long the tests wait for an event that always comes."""
BEGUN = next(n for n, item in enumerate(ITEMS) if b'"hel"' in item) + 1


@pytest.fixture
def server():
    """A server that begins a stream when one is requested, answers nothing else, and calls ``on_request`` first."""

    def script(connection):
        made.on_request()
        if b'"stream": true' in made.requests[-1]:
            connection.sendall(raw_server.STREAM + b"".join(ITEMS[:BEGUN]))

    made = raw_server.RawServer(script)
    made.on_request = lambda: None
    with contextlib.closing(made):
        yield made


def client_of(colour, server):
    return colour(GatewayConfig(provider="anthropic", api_key="k", model="claude-haiku-4-5", base_url=server.url[:-3]))


async def cancelled(client, begun):
    async def go():
        async for _ in client.stream("hi"):
            begun.set()

    task = asyncio.ensure_future(go())
    await begun.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def timed_out(client, begun):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(None) as limit:
            async for _ in client.stream("hi"):
                begun.set()
                limit.reschedule(asyncio.get_running_loop().time())


async def cancelled_by_its_reader(client, begun):
    async def go():
        async with client.stream("hi") as stream:
            async for _ in stream:
                begun.set()
                await asyncio.Event().wait()

    task = asyncio.ensure_future(go())
    await begun.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def left(client, begun):
    async with client.stream("hi") as stream:
        async for _ in stream:
            begun.set()
            break


async def forgotten(client, begun):
    async for _ in client.stream("hi"):
        begun.set()
        break
    async with asyncio.timeout(HANG_S):
        while not client.cost_tracker.attempts:  # noqa: ASYNC110  the loop closes the generator, and sets no event
            await asyncio.sleep(0)


STREAMS = [cancelled, timed_out, cancelled_by_its_reader, left, forgotten]


def settled(client):
    return [(one.error, one.usage and one.usage.input_tokens) for one in client.cost_tracker.attempts]


@pytest.mark.parametrize("how", STREAMS)
def test_a_stream_in_a_loop(how, server):
    """However it is stopped; the client goes on to be of use, and holds no other connection."""

    async def go():
        client, begun = client_of(LLMClient, server), asyncio.Event()
        await how(client, begun)
        assert begun.is_set()
        assert await asyncio.to_thread(server.left.wait, HANG_S)
        await left(client, begun)
        return client

    assert [("cancelled", 11)] * 2 == settled(asyncio.run(go()))


@pytest.fixture(autouse=True)
def interruptible():
    """A process that a shell started in its background ignores the signal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted(client):
    """As by Ctrl+C, while nothing comes."""
    stream = client.stream("hi")
    with pytest.raises(KeyboardInterrupt):
        for _ in stream:
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()


def left_sync(client):
    with client.stream("hi") as stream:
        next(stream)


def forgotten_sync(client):
    next(client.stream("hi"))


@pytest.mark.parametrize("how", [interrupted, left_sync, forgotten_sync])
def test_a_stream_in_a_thread(how, server):
    """However it is stopped."""
    client = client_of(SyncLLMClient, server)
    how(client)

    assert server.left.wait(HANG_S)
    assert [("cancelled", 11)] == settled(client)


def test_a_chat_in_a_loop(server):
    """It may have been answered; nobody heard what it cost."""

    async def go():
        client = client_of(LLMClient, server)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(None) as limit:
                loop = asyncio.get_running_loop()
                server.on_request = lambda: loop.call_soon_threadsafe(limit.reschedule, 0)
                await client.chat("hi")
        assert await asyncio.to_thread(server.left.wait, HANG_S)
        return client

    client = asyncio.run(go())
    assert [("cancelled", None)] == settled(client)
    assert (None, None) == (client.total_tokens, client.total_cost_usd)


def test_a_chat_in_a_thread(server):
    """As by Ctrl+C, while nothing comes."""
    client = client_of(SyncLLMClient, server)
    server.on_request = lambda: os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        client.chat("hi")

    assert server.left.wait(HANG_S)
    assert [("cancelled", None)] == settled(client)


@pytest.mark.parametrize("how", [left_sync, forgotten_sync])
def test_a_stream_whose_usage_nobody_said(how, serve_openai):
    """It was billed: its tokens and its cost are not known, which is not the same as none."""
    client = SyncLLMClient(GatewayConfig(provider="openai", api_key="k", model="gpt-5-mini", base_url=serve_openai.url))
    how(client)

    assert "cancelled" == client.cost_tracker.attempts[0].error
    assert (None, None) == (client.total_tokens, client.total_cost_usd)


@pytest.fixture
def serve_openai():
    """A stream of which the usage comes at the end, and the end never."""
    told = b'data: {"choices": [{"delta": {"content": "hello"}}]}\n\n'
    made = raw_server.RawServer(lambda connection: connection.sendall(raw_server.STREAM + told))
    yield made
    made.close()

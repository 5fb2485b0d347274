"""Stopped calls: the connection is closed, and the usage so far is recorded."""

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
"""Seconds to wait for an event that is certain to come."""
BEGUN = next(n for n, item in enumerate(ITEMS) if b'"hel"' in item) + 1


@pytest.fixture
def server():
    """Start a server that calls ``on_request``, then begins a stream if one is requested, else answers nothing."""

    def script(connection):
        made.on_request()
        if b'"stream": true' in made.requests[-1]:
            connection.sendall(raw_server.STREAM + b"".join(ITEMS[:BEGUN]))

    made = raw_server.RawServer(script)
    made.on_request = lambda: None
    with contextlib.closing(made):
        yield made


def client_of(client_class, server):
    return client_class(
        GatewayConfig(provider="anthropic", api_key="k", model="claude-haiku-4-5", base_url=server.url[:-3])
    )


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


async def cancelled_inside_the_loop(client, begun):
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


async def closed_early(client, begun):
    async with client.stream("hi") as stream:
        async for _ in stream:
            begun.set()
            break


async def never_closed(client, begun):
    async for _ in client.stream("hi"):
        begun.set()
        break
    async with asyncio.timeout(HANG_S):
        while not client.cost_tracker.attempts:  # noqa: ASYNC110  the loop closes the generator, and sets no event
            await asyncio.sleep(0)


STREAMS = [cancelled, timed_out, cancelled_inside_the_loop, closed_early, never_closed]


def errors_and_input_tokens(client):
    return [(one.error, one.usage and one.usage.input_tokens) for one in client.cost_tracker.attempts]


@pytest.mark.parametrize("stop", STREAMS)
def test_stopped_async_stream_closes_its_connection(stop, server):
    """The usage so far is recorded, and the client can be used again."""

    async def go():
        client, begun = client_of(LLMClient, server), asyncio.Event()
        await stop(client, begun)
        assert begun.is_set()
        assert await asyncio.to_thread(server.left.wait, HANG_S)
        await closed_early(client, begun)
        return client

    assert [("cancelled", 11)] * 2 == errors_and_input_tokens(asyncio.run(go()))


@pytest.fixture(autouse=True)
def interruptible():
    """Handle SIGINT, which a process started in a shell's background ignores."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted(client):
    """Interrupt the stream as Ctrl+C does, while it waits for the next chunk."""
    stream = client.stream("hi")
    with pytest.raises(KeyboardInterrupt):
        for _ in stream:
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()


def closed_early_sync(client):
    with client.stream("hi") as stream:
        next(stream)


def never_closed_sync(client):
    next(client.stream("hi"))


@pytest.mark.parametrize("stop", [interrupted, closed_early_sync, never_closed_sync])
def test_stopped_sync_stream_closes_its_connection(stop, server):
    """The usage so far is recorded."""
    client = client_of(SyncLLMClient, server)
    stop(client)

    assert server.left.wait(HANG_S)
    assert [("cancelled", 11)] == errors_and_input_tokens(client)


def test_cancelled_async_chat_has_unknown_cost(server):
    """The provider may have answered it, so its usage is None rather than zero."""

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
    assert [("cancelled", None)] == errors_and_input_tokens(client)
    assert (None, None) == (client.total_tokens, client.total_cost_usd)


def test_interrupted_sync_chat_closes_its_connection(server):
    """Ctrl+C while waiting for the reply is recorded as a cancelled attempt."""
    client = client_of(SyncLLMClient, server)
    server.on_request = lambda: os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        client.chat("hi")

    assert server.left.wait(HANG_S)
    assert [("cancelled", None)] == errors_and_input_tokens(client)


@pytest.mark.parametrize("stop", [closed_early_sync, never_closed_sync])
def test_stopped_stream_without_reported_usage_has_unknown_cost(stop, serve_openai):
    """It was billed, so its tokens and cost are None rather than zero."""
    client = SyncLLMClient(GatewayConfig(provider="openai", api_key="k", model="gpt-5-mini", base_url=serve_openai.url))
    stop(client)

    assert "cancelled" == client.cost_tracker.attempts[0].error
    assert (None, None) == (client.total_tokens, client.total_cost_usd)


@pytest.fixture
def serve_openai():
    """Start a server whose stream would report its usage at the end, and never ends."""
    first_event = b'data: {"choices": [{"delta": {"content": "hello"}}]}\n\n'
    made = raw_server.RawServer(lambda connection: connection.sendall(raw_server.STREAM + first_event))
    yield made
    made.close()

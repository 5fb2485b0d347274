"""Timeouts: which one ends a call, and its error, sync and async, and through the official SDK."""

import asyncio
import contextlib
import json
import time

import openai as openai_sdk
import pytest
import raw_server

from llm_gateway import GatewayConfig, LLMClient, SyncLLMClient
from llm_gateway.exceptions import ProviderError
from llm_gateway.providers import openai
from llm_gateway.types import ChatReply, TextPart, TokenUsage

SYNC_AND_ASYNC = pytest.mark.parametrize("client_class", [SyncLLMClient, LLMClient])
TRANSPORTS = pytest.mark.parametrize("is_sdk", [False, True], ids=["httpx2", "sdk"])
PING = b": ping\n\n"
HELLO = b'data: {"choices": [{"delta": {"content": "hello"}}]}\n\n'
REPLY = ChatReply((TextPart("hello"),), "gpt-5-mini", "id", "end_turn", TokenUsage(3, 4))
WHOLE = raw_server.reply(json.dumps(openai.openai_chat.DIALECT.encode_reply(REPLY)).encode() + b" " * 10_000)


@pytest.fixture
def serve():
    """Return a function that starts a server with a script."""
    with contextlib.ExitStack() as stack:
        yield lambda script: stack.enter_context(contextlib.closing(raw_server.RawServer(script)))


def trickle(first, chunk, every_s=0.04):
    """Return a script that sends *first*, then *chunk* again and again until the client disconnects."""

    def script(connection):
        connection.sendall(first)
        while True:
            connection.sendall(chunk)
            time.sleep(every_s)

    return script


def client_of(client_class, server, *, is_sdk=False, **settings):
    config = GatewayConfig(provider="openai", api_key="k", base_url=server.url, max_retries=0, **settings)
    if not is_sdk:
        return client_class(config)
    made = openai_sdk.AsyncOpenAI if client_class is LLMClient else openai_sdk.OpenAI
    return client_class(
        config, provider_instance=openai.provider(config, client=made(api_key="k", base_url=server.url))
    )


def outcome_of(client, *, is_stream=False, **options):
    """Return the text of a chat or the texts of a stream, or else the error, and the seconds that it took."""

    async def read():
        async with client:
            if is_stream:
                return [one.text async for one in client.stream("hi", **options)]
            return (await client.chat("hi", **options)).content

    def read_sync():
        with client:
            if is_stream:
                return [one.text for one in client.stream("hi", **options)]
            return client.chat("hi", **options).content

    began = time.monotonic()
    try:
        found = asyncio.run(read()) if isinstance(client, LLMClient) else read_sync()
    except ProviderError as error:
        found = error
    return found, time.monotonic() - began


@SYNC_AND_ASYNC
@TRANSPORTS
@pytest.mark.parametrize("sent", [b"", raw_server.STREAM], ids=["no head", "no chunk"])
def test_first_token_timeout_ends_a_stream_without_content(sent, client_class, is_sdk, serve):
    """It applies before and after the headers arrive; the idle timeout does not."""
    server = serve(lambda connection: connection.sendall(sent))
    client = client_of(client_class, server, is_sdk=is_sdk, first_token_timeout_s=0.3, idle_timeout_s=600)
    error, took = outcome_of(client, is_stream=True)

    message = f"nothing of an answer from {server.host} within 0.3 s"
    assert message in error.message
    if not sent:
        assert (
            f"{message}\n  first_token_timeout_s ran out\n"
            "  try again, or raise first_token_timeout_s (LLM_FIRST_TOKEN_TIMEOUT_S)"
        ) == str(error)
    assert ("timeout", True) == (error.kind, error.is_retryable)
    assert 0.25 < took


@SYNC_AND_ASYNC
@TRANSPORTS
@pytest.mark.parametrize("every_s", [0.04, 0.0])
def test_pings_do_not_reset_the_first_token_timeout(every_s, client_class, is_sdk, serve):
    """A stream of pings alone times out, also one that never lets its reader wait."""
    server = serve(trickle(raw_server.STREAM, PING * (1 if every_s else 100_000), every_s))
    client = client_of(client_class, server, is_sdk=is_sdk, first_token_timeout_s=0.3)
    error, took = outcome_of(client, is_stream=True)

    assert "timeout" == error.kind
    assert "raise first_token_timeout_s (LLM_FIRST_TOKEN_TIMEOUT_S)" in str(error)
    assert 0.25 < took


@SYNC_AND_ASYNC
@TRANSPORTS
def test_idle_timeout_ends_a_stalled_stream(client_class, is_sdk, serve):
    """After the first content only the time between chunks is limited."""
    server = serve(lambda connection: connection.sendall(raw_server.STREAM + HELLO))
    client = client_of(client_class, server, is_sdk=is_sdk, first_token_timeout_s=600, idle_timeout_s=0.3)
    error, _ = outcome_of(client, is_stream=True)

    assert (
        f"openai's stream broke after 5 characters: the stream from {server.host} stood still for 0.3 s\n"
        "  idle_timeout_s ran out\n"
        "  call again; what arrived before the break was already returned"
    ) == str(error)
    assert ("timeout", True) == (error.kind, error.has_begun)


@SYNC_AND_ASYNC
@pytest.mark.parametrize(("early", "idle_timeout_s"), [(b"", 0.1), (HELLO, 600)], ids=["first content", "length"])
def test_slow_stream_does_not_time_out(early, idle_timeout_s, client_class, serve):
    """idle_timeout_s does not limit the wait for the first content, nor timeout_s the length of a stream."""

    def script(connection):
        connection.sendall(raw_server.STREAM + early)
        time.sleep(0.3)
        rest = HELLO * (8 - len(early) // len(HELLO))
        connection.sendall(rest + b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n')

    server = serve(script)
    client = client_of(client_class, server, timeout_s=0.1, first_token_timeout_s=600, idle_timeout_s=idle_timeout_s)
    found, _ = outcome_of(client, is_stream=True)

    assert ["hello"] * 8 == [text for text in found if text]


@SYNC_AND_ASYNC
@TRANSPORTS
@pytest.mark.parametrize("part", ["head", "body"])
def test_timeout_limits_the_whole_reply(part, client_class, is_sdk, serve):
    """A reply that arrives byte by byte times out; a call can have its own timeout_s."""
    server = serve(trickle(WHOLE[:-10_000], b" ") if part == "body" else trickle(b"HTTP/1.1 200 OK\r\n", b"x-a: b\r\n"))
    error, took = outcome_of(client_of(client_class, server, is_sdk=is_sdk), timeout_s=0.3)

    assert (
        f"no answer from {server.host} within 0.3 s\n  timeout_s ran out\n  try again, or raise timeout_s (LLM_TIMEOUT_S)"
    ) == str(error)
    assert 0.25 < took


@SYNC_AND_ASYNC
@pytest.mark.parametrize("is_stream", [False, True])
def test_total_timeout_limits_the_whole_call(is_stream, client_class, serve):
    """It ends the running attempt, and no fallback model is tried."""
    server = serve(trickle(raw_server.STREAM, PING))
    client = client_of(client_class, server, fallback_models=("gpt-5-nano",))
    error, _ = outcome_of(client, is_stream=is_stream, total_timeout_s=0.3)

    assert f"no answer from {server.host} within the 0.3 s that the whole call may take" in error.message
    assert "raise total_timeout_s (LLM_TOTAL_TIMEOUT_S)" in str(error)
    assert len(server.requests) <= 1  # none, where the machine needs as long to connect


@SYNC_AND_ASYNC
def test_connect_timeout_limits_the_connection(client_class, serve):
    """A server whose queue of connections is full raises an error that names connect_timeout_s."""
    import socket

    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        host = f"127.0.0.1:{full.getsockname()[1]}"
        config = GatewayConfig(
            provider="openai", api_key="k", base_url=f"http://{host}", max_retries=0, connect_timeout_s=0.3
        )
        error, _ = outcome_of(client_class(config))

    assert (
        f"no connection to {host} within 0.3 s\n  connect_timeout_s ran out\n"
        "  check the address (LLM_BASE_URL), the network and any proxy (HTTP_PROXY, HTTPS_PROXY), or raise connect_timeout_s (LLM_CONNECT_TIMEOUT_S)"
    ) == str(error)

"""Which limit ends a wait, how soon, and what the user reads, in both colours and over the official SDK."""

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

COLOURS = pytest.mark.parametrize("colour", [SyncLLMClient, LLMClient])
WAYS = pytest.mark.parametrize("is_sdk", [False, True], ids=["httpx2", "sdk"])
PING = b": ping\n\n"
HELLO = b'data: {"choices": [{"delta": {"content": "hello"}}]}\n\n'
REPLY = ChatReply((TextPart("hello"),), "gpt-5-mini", "id", "end_turn", TokenUsage(3, 4))
WHOLE = raw_server.reply(json.dumps(openai.openai_chat.DIALECT.encode_reply(REPLY)).encode() + b" " * 10_000)


@pytest.fixture
def serve():
    """Start a server with a script."""
    with contextlib.ExitStack() as stack:
        yield lambda script: stack.enter_context(contextlib.closing(raw_server.RawServer(script)))


def trickle(first, piece, every_s=0.04):
    """Send *first*, then *piece* again and again, until the other side hangs up."""

    def script(connection):
        connection.sendall(first)
        while True:
            connection.sendall(piece)
            time.sleep(every_s)

    return script


def client_of(colour, server, *, is_sdk=False, **settings):
    config = GatewayConfig(provider="openai", api_key="k", base_url=server.url, max_retries=0, **settings)
    if not is_sdk:
        return colour(config)
    made = openai_sdk.AsyncOpenAI if colour is LLMClient else openai_sdk.OpenAI
    return colour(config, provider_instance=openai.provider(config, client=made(api_key="k", base_url=server.url)))


def ask(client, *, is_stream=False, **options):
    """Chat or read a stream; what came, or the error, and how long it took."""

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


@COLOURS
@WAYS
@pytest.mark.parametrize("sent", [b"", raw_server.STREAM], ids=["no head", "no piece"])
def test_nothing_of_a_stream(sent, colour, is_sdk, serve):
    """Whether the head came or not: the limit until the first content holds, and not that between pieces."""
    server = serve(lambda connection: connection.sendall(sent))
    client = client_of(colour, server, is_sdk=is_sdk, first_token_timeout_s=0.3, idle_timeout_s=600)
    error, took = ask(client, is_stream=True)

    words = f"nothing of an answer from {server.host} within 0.3 s"
    assert words in error.message
    if not sent:
        assert (
            f"{words}\n  first_token_timeout_s ran out\n"
            "  try again, or raise first_token_timeout_s (LLM_FIRST_TOKEN_TIMEOUT_S)"
        ) == str(error)
    assert ("timeout", True) == (error.kind, error.is_retryable)
    assert 0.25 < took


@COLOURS
@WAYS
@pytest.mark.parametrize("every_s", [0.04, 0.0])
def test_pings_are_no_content(every_s, colour, is_sdk, serve):
    """A stream that keeps itself awake is late all the same, also one that never lets its reader wait."""
    server = serve(trickle(raw_server.STREAM, PING * (1 if every_s else 100_000), every_s))
    client = client_of(colour, server, is_sdk=is_sdk, first_token_timeout_s=0.3)
    error, took = ask(client, is_stream=True)

    assert "timeout" == error.kind
    assert "raise first_token_timeout_s (LLM_FIRST_TOKEN_TIMEOUT_S)" in str(error)
    assert 0.25 < took


@COLOURS
@WAYS
def test_a_stream_that_stands_still(colour, is_sdk, serve):
    """After its first content only the limit between pieces holds; what came is handed out."""
    server = serve(lambda connection: connection.sendall(raw_server.STREAM + HELLO))
    client = client_of(colour, server, is_sdk=is_sdk, first_token_timeout_s=600, idle_timeout_s=0.3)
    error, _ = ask(client, is_stream=True)

    assert (
        f"openai's stream broke after 5 characters: the stream from {server.host} stood still for 0.3 s\n"
        "  idle_timeout_s ran out\n"
        "  call again; what arrived before the break was already returned"
    ) == str(error)
    assert ("timeout", True) == (error.kind, error.has_begun)


@COLOURS
@pytest.mark.parametrize(("early", "idle_timeout_s"), [(b"", 0.1), (HELLO, 600)], ids=["first content", "length"])
def test_a_slow_stream_is_not_late(early, idle_timeout_s, colour, serve):
    """The limit between chunks is not for its first content, and the limit of an attempt not for its length."""

    def script(connection):
        connection.sendall(raw_server.STREAM + early)
        time.sleep(0.3)
        rest = HELLO * (8 - len(early) // len(HELLO))
        connection.sendall(rest + b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n')

    server = serve(script)
    client = client_of(colour, server, timeout_s=0.1, first_token_timeout_s=600, idle_timeout_s=idle_timeout_s)
    found, _ = ask(client, is_stream=True)

    assert ["hello"] * 8 == [text for text in found if text]


@COLOURS
@WAYS
@pytest.mark.parametrize("part", ["head", "body"])
def test_a_reply_that_trickles_in(part, colour, is_sdk, serve):
    """The limit of an attempt is for all of it, not for each read; a call may have its own."""
    server = serve(trickle(WHOLE[:-10_000], b" ") if part == "body" else trickle(b"HTTP/1.1 200 OK\r\n", b"x-a: b\r\n"))
    error, took = ask(client_of(colour, server, is_sdk=is_sdk), timeout_s=0.3)

    assert (
        f"no answer from {server.host} within 0.3 s\n  timeout_s ran out\n  try again, or raise timeout_s (LLM_TIMEOUT_S)"
    ) == str(error)
    assert 0.25 < took


@COLOURS
@pytest.mark.parametrize("is_stream", [False, True])
def test_the_whole_call_has_a_limit(is_stream, colour, serve):
    """It ends the attempt that runs, and no other is begun, by whichever model."""
    server = serve(trickle(raw_server.STREAM, PING))
    client = client_of(colour, server, fallback_models=("gpt-5-nano",))
    error, _ = ask(client, is_stream=is_stream, total_timeout_s=0.3)

    assert f"no answer from {server.host} within the 0.3 s that the whole call may take" in error.message
    assert "raise total_timeout_s (LLM_TOTAL_TIMEOUT_S)" in str(error)
    assert len(server.requests) <= 1  # none, where the machine needs as long to connect


@COLOURS
def test_a_connection_that_is_not_made(colour, serve):
    """Has a limit of its own: here a server whose queue of connections is full."""
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
        error, _ = ask(colour(config))

    assert (
        f"no connection to {host} within 0.3 s\n  connect_timeout_s ran out\n"
        "  check the address (LLM_BASE_URL), the network and any proxy (HTTP_PROXY, HTTPS_PROXY), or raise connect_timeout_s (LLM_CONNECT_TIMEOUT_S)"
    ) == str(error)

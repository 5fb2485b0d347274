"""Error messages for broken replies, proxies and connections, with the sync and the async client."""

import asyncio
import contextlib
import functools
import gzip
import json
import socket
import time

import pytest
import raw_server

from llm_gateway import GatewayConfig, LLMClient, SyncLLMClient
from llm_gateway.exceptions import ProviderError
from llm_gateway.interception import guard
from llm_gateway.providers import openai
from llm_gateway.types import ChatReply, TextPart, TokenUsage

pytestmark = pytest.mark.parametrize("client_class", [SyncLLMClient, LLMClient])
PAGE = b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body>\n<h1>nginx</h1></body></html>"


@pytest.fixture
def serve():
    """Start a server that sends these chunks 10 ms apart and closes the connection."""

    def script(chunks):
        def send(connection):
            for chunk in chunks:
                connection.sendall(chunk)
                if len(chunks) > 1:
                    time.sleep(0.01)
            return "close"

        return send

    with contextlib.ExitStack() as stack:
        yield lambda *chunks: stack.enter_context(contextlib.closing(raw_server.RawServer(script(chunks))))


def client_of(client_class, url):
    return client_class(GatewayConfig(provider="openai", api_key="k", model="m", base_url=url, max_retries=0))


def text_of(client, *, is_stream=False):
    """Return the text of the reply."""

    async def read():
        async with client:
            if is_stream:
                return "".join([one.text async for one in client.stream("hi")])
            return (await client.chat("hi")).content

    if isinstance(client, LLMClient):
        return asyncio.run(read())
    with client:
        return "".join(one.text for one in client.stream("hi")) if is_stream else client.chat("hi").content


def error_of(client, **options):
    """Return the ProviderError that the call raises."""
    with pytest.raises(ProviderError) as caught:
        text_of(client, **options)
    return caught.value


ADDRESS = "  check that LLM_BASE_URL is the address of an API, and which proxy is in between"


@pytest.mark.parametrize(
    ("sent", "kind", "text"),
    [
        (
            raw_server.reply(PAGE, status="502 Bad Gateway", content_type="text/html"),
            "server",
            ("openai answered 502 for 'm': 502 Bad Gateway\n  try again later; see the provider's status page"),
        ),
        (
            raw_server.reply(PAGE.replace(b"502 Bad Gateway", b"Sign in")),
            "server",
            f"openai answered 200 with something that is no JSON\n  Sign in\n{ADDRESS}",
        ),
        (
            raw_server.reply(b""),
            "server",
            f"openai answered 200 with something that is no JSON\n  there is nothing in it\n{ADDRESS}",
        ),
        (
            raw_server.reply(b"", status="204 No Content"),
            "server",
            f"openai answered 204 with something that is no JSON\n  there is nothing in it\n{ADDRESS}",
        ),
        (
            raw_server.reply(b"[" * 100_000),
            "server",
            f"openai answered 200 with something that is no JSON\n  {'[' * 100}\n{ADDRESS}",
        ),
        (
            raw_server.reply(b"", status="308 Permanent Redirect", location="https://elsewhere.example/v1"),
            "invalid_request",
            (
                "openai answered 308: redirect to 'https://elsewhere.example/v1'\n"
                "  redirects are not followed: the key would be sent along\n"
                "  set LLM_BASE_URL to the address of openai's API, with the right scheme, host and path"
            ),
        ),
        (
            raw_server.reply(b"", status="407 Proxy Authentication Required"),
            "auth",
            (
                "openai answered 407 for 'm': status 407\n"
                "  the proxy in between requires a login: export HTTPS_PROXY=http://name:password@host:port"
            ),
        ),
        (
            raw_server.reply(
                b'{"error": {"code": "context_length_exceeded", "message": "too long"}}', status="400 Bad Request"
            ),
            "context_window",
            (
                "openai answered 400 for 'm': too long\n"
                "  set max_context_tokens to leave out old messages, or choose a model with a longer context"
            ),
        ),
        (
            raw_server.reply(b'{"error": 5}', content_encoding="gzip"),
            "server",
            (
                "the reply from HOST cannot be decompressed\n"
                "  it does not match its content-encoding: Error -3 while decompressing data: incorrect header check\n"
                "  a proxy may have changed it: connect without the proxy, or try again"
            ),
        ),
        (
            raw_server.reply(b'{"error": 5}')[:-4],
            "connection",
            (
                "the reply from HOST broke off\n"
                "  peer closed connection without sending complete message body (received 8 bytes, expected 12)\n"
                "  try again"
            ),
        ),
    ],
    ids=["page", "sign in", "empty", "204", "deep", "redirect", "407", "window", "coding", "short"],
)
def test_bad_reply_raises_an_error_with_advice(sent, kind, text, client_class, serve):
    """A bad reply raises one short ProviderError; a stream raises nearly the same one."""
    server = serve(sent)
    error = error_of(client_of(client_class, server.url))

    assert text.replace("HOST", server.host) == str(error)
    assert kind == error.kind
    if error.status is None or error.status >= 300:
        message = error.message.replace("the reply", "the stream") if kind == "connection" else error.message
        assert message in str(error_of(client_of(client_class, server.url), is_stream=True))


@functools.cache
def gzip_bomb():
    """Return 140 MiB of zeros, compressed."""
    return gzip.compress(bytes(140 << 20), 1)


@pytest.mark.parametrize("is_stream", [False, True])
def test_gzip_bomb_is_not_unpacked_to_its_end(is_stream, client_class, serve):
    """A compressed reply that unpacks to more than 128 MiB raises an error."""
    server = serve(raw_server.reply(gzip_bomb(), content_encoding="gzip"))
    error = error_of(client_of(client_class, server.url), is_stream=is_stream)

    assert "is longer than 128 MiB" in str(error)
    assert "no answer is that long; the rest was not read" in str(error)


def event(**delta):
    return b"data: " + json.dumps({"choices": [{"delta": delta}]}, ensure_ascii=False).encode() + b"\n\n"


END = b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


def test_split_utf8_character_is_joined_and_invalid_byte_replaced(client_class, serve):
    """A character split between chunks arrives whole; an invalid byte becomes U+FFFD and nothing else is lost."""
    first, second = event(content="é").split(b"\xa9")
    broken = event(content="<?>").replace(b"?", b"\xff")
    server = serve(raw_server.STREAM, first, b"\xa9" + second + broken[:-9], broken[-9:] + END)

    assert "é<\ufffd>" == text_of(client_of(client_class, server.url), is_stream=True)


@pytest.mark.parametrize("is_stream", [False, True])
def test_reading_time_grows_linearly_with_length(is_stream, client_class, serve):
    """CPU time for ten megabytes, in one reply or one stream event, is far below quadratic growth."""

    def seconds_for(length):
        text = "x" * length
        whole = ChatReply((TextPart(text),), "m", "id", "end_turn", TokenUsage(3, 4))
        body = json.dumps(openai.openai_chat.DIALECT.encode_reply(whole)).encode()
        server = serve(raw_server.STREAM + event(content=text) + END if is_stream else raw_server.reply(body))
        began = time.process_time()
        assert text == text_of(client_of(client_class, server.url), is_stream=is_stream)
        return time.process_time() - began

    assert seconds_for(10_000_000) < 50 * seconds_for(1_000_000)


@pytest.fixture
def _no_guard():
    """Disable the suite's guard against real calls, which would answer for these hosts that do not exist."""
    guard.open_up()
    yield
    guard.close()


@pytest.mark.usefixtures("_no_guard")
def test_unreachable_host_is_named_without_password(client_class, monkeypatch):
    """A closed port, an unknown host name and an unreachable proxy each name the host and what to check."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    advice = "check the address (LLM_BASE_URL), the network and any proxy (HTTP_PROXY, HTTPS_PROXY)"
    for url, host in (
        (f"http://127.0.0.1:{port}/v1", f"127.0.0.1:{port}"),
        ("http://nowhere.invalid/v1", "nowhere.invalid"),
    ):
        error = error_of(client_of(client_class, url))
        assert f"cannot reach {host}" == error.message
        assert advice == error.fix
    secret = str(error_of(client_of(client_class, f"http://me:hunter2@127.0.0.1:{port}/v1")))
    assert f"cannot reach 127.0.0.1:{port}\n" in secret
    assert "hunter2" not in secret
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
    assert "cannot reach api.example\n" in str(error_of(client_of(client_class, "http://api.example/v1")))


@pytest.mark.usefixtures("_no_guard")
def test_proxy_that_demands_a_password_is_reported(client_class, serve, monkeypatch):
    """A proxy that rejects the tunnel raises a connection error with the setting for name and password."""
    proxy = serve(raw_server.reply(b"", status="407 Proxy Authentication Required"))
    monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.host}")
    error = error_of(client_of(client_class, "https://api.example/v1"))

    assert (
        "the proxy does not connect to api.example\n"
        "  407 Proxy Authentication Required\n"
        "  check the proxy's address, name and password: export HTTPS_PROXY=http://name:password@host:port"
    ) == str(error)
    assert "connection" == error.kind


USED = {"prompt_tokens": 3, "completion_tokens": 4}


def reply_of(**message):
    message = {"role": "assistant", "content": "hello", **message}
    return {"model": "m", "choices": [{"message": message, "finish_reason": "stop"}], "usage": USED}


def tool_calls_of(arguments):
    return [{"index": 0, "id": "a", "function": {"name": "f", "arguments": arguments}}]


@pytest.mark.parametrize("is_stream", [False, True])
def test_deeply_nested_arguments_raise_provider_error(is_stream, client_class, serve):
    """JSON too deep for the parser raises ProviderError, never RecursionError."""
    calls = tool_calls_of("[" * 200_000)
    sent = event(tool_calls=calls) + END if is_stream else json.dumps(reply_of(tool_calls=calls)).encode()
    server = serve(raw_server.STREAM + sent if is_stream else raw_server.reply(sent))
    error = error_of(client_of(client_class, server.url), is_stream=is_stream)

    assert "something that is not part of its format" in error.message
    assert "server" == error.kind


def test_undecodable_last_event_is_reported_as_broken_stream(client_class, serve):
    """A stream whose last event cannot be decoded has begun, so that it is not retried."""
    last = {
        "candidates": [
            {"content": {"parts": [{"text": "hello"}, {"inlineData": {"data": "x"}}]}, "finishReason": "STOP"}
        ]
    }
    server = serve(raw_server.STREAM + b"data: " + json.dumps(last).encode() + b"\n\n")
    client = client_class(GatewayConfig(provider="gemini", api_key="k", model="m", base_url=server.url, max_retries=3))
    error = error_of(client, is_stream=True)

    assert (
        "gemini's stream broke after 0 characters: it holds something that is not part of its format\n"
        "  call again; what arrived before the break was already returned"
    ) == str(error)
    assert error.has_begun
    assert 1 == len(server.requests)


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("model", [-1, {}, ["m"], 0.5])
def test_invalid_model_name_in_a_reply_is_ignored(model, is_stream, client_class, serve):
    """A reply whose model is no string is read as one of the requested model."""
    first = b"data: " + json.dumps({"model": model, "choices": [], "usage": USED}).encode() + b"\n\n"
    whole = json.dumps({**reply_of(), "model": model}).encode()
    server = serve(raw_server.STREAM + first + event(content="hello") + END if is_stream else raw_server.reply(whole))

    assert "hello" == text_of(client_of(client_class, server.url), is_stream=is_stream)


def test_long_error_page_for_a_stream_is_read_in_linear_time(client_class, serve):
    """An error page of 60 MiB takes less than two seconds of CPU time."""
    server = serve(raw_server.reply(b"x" * (60 << 20), status="500 Oh"))
    began = time.process_time()
    error = error_of(client_of(client_class, server.url), is_stream=True)

    assert 500 == error.status
    assert time.process_time() - began < 2


KEY = "sk-0123456789abcdef0123456789abcdef"
NAMED = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}}).encode()


@pytest.mark.parametrize(
    "sent",
    [
        raw_server.reply(NAMED, status="401 Unauthorized"),
        raw_server.reply(f"<title>who is {KEY}?</title>".encode(), status="502 Bad Gateway"),
        raw_server.reply(b"x" * 1980 + KEY.encode(), status="400 Bad Request"),
        raw_server.reply(b"", status="302 Found", location=f"https://elsewhere.example/?key={KEY}"),
        raw_server.reply(b"x" * 80 + KEY.encode()),
        raw_server.reply(json.dumps({"choices": KEY}).encode()),
        raw_server.STREAM + b"data: " + NAMED + b"\n\n",
        raw_server.STREAM + b'data: {"choices": "' + KEY.encode() + b'"}\n\n',
    ],
    ids=["401", "page", "cut", "redirect", "no JSON", "no format", "in stream", "odd stream"],
)
@pytest.mark.parametrize("is_stream", [False, True])
def test_api_key_in_a_reply_is_redacted(sent, is_stream, client_class, serve):
    """Neither the message of the error nor its raw reply holds the key, or the first part of it."""
    server = serve(sent)
    error = error_of(
        client_class(GatewayConfig(provider="openai", api_key=KEY, model="m", base_url=server.url, max_retries=0)),
        is_stream=is_stream,
    )

    assert KEY[:10] not in f"{error}{error!r}{error.raw}{error.__dict__}"


def call_once(client, verb, *arguments):
    """Return the result of one method of the client, sync or async, and close the client."""

    async def wait():
        async with client:
            return await getattr(client, verb)(*arguments)

    if isinstance(client, LLMClient):
        return asyncio.run(wait())
    with client:
        return getattr(client, verb)(*arguments)


def test_api_key_in_a_list_of_models_is_redacted(client_class, serve):
    """The message has the provider's name in the key's place."""
    server = serve(raw_server.reply(NAMED, status="401 Unauthorized"))
    client = client_class(GatewayConfig(provider="openai", api_key=KEY, base_url=server.url, max_retries=0))
    with pytest.raises(ProviderError, match=r"Incorrect API key provided: \[key of openai\]") as caught:
        call_once(client, "refresh_models")

    assert KEY[:10] not in f"{caught.value}{caught.value.raw}"


@pytest.mark.parametrize("count", [b"{}", b'{"input_tokens": -5}', b'{"input_tokens": 1e999}', b'{"input_tokens": []}'])
def test_invalid_token_count_raises_provider_error(count, client_class, serve):
    """A count of tokens that is missing, negative, infinite or no number is rejected."""
    server = serve(raw_server.reply(count))
    client = client_class(
        GatewayConfig(provider="anthropic", api_key="k", model="m", base_url=server.url, max_retries=0)
    )
    with pytest.raises(ProviderError, match="something that is not part of its format"):
        call_once(client, "count_tokens", "hi")

"""Faults injected into a recording, with each HTTP library and the official SDKs."""

import asyncio
import re
import time
import urllib.request

import aiohttp
import anthropic
import boto3
import botocore.config
import httpx
import httpx2
import openai
import pytest
import requests
import urllib3

from llm_gateway.cassettes.modes import Mode
from llm_gateway.interception.use_cassette import use_cassette

BODY = {"model": "m", "stream": True}


def by_httpx(url, timeout_s=60):
    with httpx.stream("POST", url, json=BODY, timeout=timeout_s) as reply:
        return reply.status_code, b"".join(reply.iter_raw())


def by_httpx2(url, timeout_s=60):
    with httpx2.stream("POST", url, json=BODY, timeout=timeout_s) as reply:
        return reply.status_code, b"".join(reply.iter_raw())


def by_httpx2_async(url, timeout_s=60):
    async def go():
        async with httpx2.AsyncClient(timeout=timeout_s) as client, client.stream("POST", url, json=BODY) as reply:
            return reply.status_code, b"".join([chunk async for chunk in reply.aiter_raw()])

    return asyncio.run(go())


def by_requests(url, timeout_s=60):
    with requests.Session() as session, session.post(url, json=BODY, timeout=timeout_s, stream=True) as reply:
        return reply.status_code, b"".join(reply.iter_content(None))


def by_urllib3(url, timeout_s=60):
    with urllib3.PoolManager(retries=False) as pool:
        reply = pool.request("POST", url, json=BODY, timeout=timeout_s, preload_content=False)
        return reply.status, b"".join(reply.stream())


def by_urllib(url, timeout_s=60):
    request = urllib.request.Request(url, b'{"model": "m", "stream": true}', {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def by_aiohttp(url, timeout_s=60):
    async def go():
        timeout = aiohttp.ClientTimeout(sock_read=timeout_s)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.post(url, json=BODY) as reply:
            return reply.status, b"".join([chunk async for chunk in reply.content.iter_any()])

    return asyncio.run(go())


ERRORS = {  # of a lost connection, a timeout, and a reply that breaks off
    by_httpx: ("RemoteProtocolError", "ReadTimeout", "RemoteProtocolError"),
    by_httpx2: ("RemoteProtocolError", "ReadTimeout", "RemoteProtocolError"),
    by_httpx2_async: ("RemoteProtocolError", "ReadTimeout", "RemoteProtocolError"),
    by_requests: ("ConnectionError", "ReadTimeout", "ChunkedEncodingError"),
    by_urllib3: ("ProtocolError", "ReadTimeoutError", "ProtocolError"),
    by_urllib: ("ConnectionResetError", "TimeoutError", "IncompleteRead"),
    by_aiohttp: ("ServerDisconnectedError", "SocketTimeoutError", "ClientPayloadError"),
}


@pytest.fixture
def recorded(server, tmp_path):
    """Return the path, URL and body of a recorded stream of four chunks whose server was stopped."""
    url = f"{server.url}/v1/chat/completions"
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        by_httpx2(url)
    server.shutdown()
    server.server_close()
    return tmp_path / "a.yaml", url, b"".join(server.chunks)


def outcome(call, url, timeout_s=60):
    """Return the status and the body, or the name of the error."""
    try:
        return call(url, timeout_s)
    except Exception as error:  # noqa: BLE001  each library has its own
        return type(error).__name__


@pytest.mark.parametrize("call", ERRORS)
def test_every_fault_with_every_library(call, recorded):
    """An error status, lost connections and a late reply raise as usual; then the recorded reply follows."""
    path, url, body = recorded
    with use_cassette(path) as cassette:
        cassette.fault(503)
        cassette.disconnect()
        cassette.timeout()
        cassette.cut(after_chunks=2)
        cassette.delay(30, at=5)
        cassette.delay(0.05, at=6)
        found = [outcome(call, url, timeout_s) for timeout_s in (60, 60, 0.2, 60)]
        playback = cassette._playback
        playback.put_back(playback._requests[0])  # the late reply was given, and is requested again
        late, begun = outcome(call, url, 0.2), time.monotonic()
        whole, took = outcome(call, url), time.monotonic() - begun

    assert (503, b'{"error": {"message": "injected by llm_cassette.fault(status=503)"') == (
        found[0][0],
        found[0][1][:66],
    )
    assert [*ERRORS[call], ERRORS[call][1]] == [*found[1:], late]
    assert (200, body) == whole
    assert 0.05 <= took
    assert ["fault"] * 4 + ["replay"] * 2 == [one.source for one in cassette.calls]


@pytest.mark.parametrize("call", ERRORS)
@pytest.mark.parametrize("chunks", ["bytes", "whole"])
def test_split_stream_has_the_recorded_bytes(call, chunks, recorded):
    """Each library joins chunks of single bytes, or reads one chunk."""
    from llm_gateway.interception.settings import Settings

    path, url, body = recorded
    with use_cassette(path, settings=Settings(chunks=chunks)):
        assert (200, body) == call(url)


def test_aiohttp_and_urllib3_yield_single_bytes(recorded):
    """Injected chunk boundaries reach the code under test."""
    from llm_gateway.interception.settings import Settings

    path, url, body = recorded

    async def go():
        async with aiohttp.ClientSession() as session, session.post(url, json=BODY) as reply:
            return [chunk async for chunk in reply.content.iter_any()]

    with use_cassette(path, settings=Settings(chunks="bytes")):
        by_aiohttp = asyncio.run(go())
    with use_cassette(path, settings=Settings(chunks="bytes")), urllib3.PoolManager() as pool:
        by_urllib3 = list(pool.request("POST", url, json=BODY, preload_content=False).stream())

    assert [bytes([byte]) for byte in body] == by_aiohttp == by_urllib3


def test_recorded_timing_is_replayed(recorded):
    """At twice the speed, 0.4 seconds take at least 0.2."""
    path, url, body = recorded
    recorded_chunks = "chunks: [[9, 0.1], [7, 0.2], [2, 0.2], [14, 0.4]]"
    path.write_text(re.sub("chunks: .*", recorded_chunks, path.read_text()))
    with use_cassette(path) as cassette:
        cassette.speed(2.0)
        begun = time.monotonic()
        assert (200, body) == by_httpx2(url)
        took = time.monotonic() - begun

    assert 0.2 <= took


def ask_anthropic(server):
    with anthropic.Anthropic(api_key="k", base_url=server, max_retries=1) as client:
        messages = [{"role": "user", "content": "hi"}]
        return client.messages.create(model="m", max_tokens=9, messages=messages).model_extra is not None


def ask_openai(server):
    with openai.OpenAI(api_key="k", base_url=f"{server}/v1", max_retries=1) as client:
        return client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}]) is not None


def ask_boto3(server):
    config = botocore.config.Config(retries={"total_max_attempts": 2, "mode": "standard"})
    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "k"}
    client = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=server, config=config, **keys)
    return client.converse(modelId="m", messages=[{"role": "user", "content": [{"text": "hi"}]}])["usage"] is not None


@pytest.mark.parametrize(
    ("call_sdk", "errors"),
    [
        (ask_anthropic, ("RateLimitError", "APIConnectionError", "APITimeoutError")),
        (ask_openai, ("RateLimitError", "APIConnectionError", "APITimeoutError")),
        (ask_boto3, ("ThrottlingException", "ConnectionClosedError", "ReadTimeoutError")),
    ],
)
def test_official_sdks_retry_injected_faults(call_sdk, errors, server, tmp_path, monkeypatch):
    """One fault is retried, two of a kind raise the SDK's own error, and the server gets one request."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    path = tmp_path / "a.yaml"
    with use_cassette(path, Mode.RECORD) as cassette:
        cassette.fault(429, retry_after=0.01)
        assert call_sdk(server.url)
        cassette.fault(429, at=[3, 4], retry_after=0.01)
        cassette.disconnect(at=[5, 6])
        cassette.timeout(at=[7, 8])
        assert errors == tuple(raised(call_sdk, server.url) for _ in range(3))

    assert 1 == len(server.paths)
    assert [429, 200, 429, 429, "protocol", "protocol", "read_timeout", "read_timeout"] == [
        one.status or one.error for one in cassette.calls
    ]
    with use_cassette(path) as cassette:
        cassette.disconnect()
        assert call_sdk(server.url)


def raised(call_sdk, url):
    try:
        call_sdk(url)
    except Exception as error:  # noqa: BLE001  each SDK has its own
        return type(error).__name__
    return None

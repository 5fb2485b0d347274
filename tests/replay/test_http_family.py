"""Calls of http.client and of libraries built on it, recorded over a real socket and replayed without a server."""

import asyncio
import contextlib
import http.client
import json
import threading
import urllib.request
from types import SimpleNamespace

import aiohttp
import boto3
import botocore.config
import pytest
import raw_server
import requests
import urllib3
from urllib3.util import Retry

from llm_gateway.cassettes.modes import Mode
from llm_gateway.interception.use_cassette import use_cassette


def by_http_client(url, body):
    host, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host)
    connection.request("POST", "/" + path, body, {"content-type": "application/json"})
    with connection.getresponse() as reply:
        raw = reply.read()
    connection.close()
    return reply.status, raw


def by_urllib(url, body):
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return reply.status, reply.read()


def by_urllib3(url, body):
    with urllib3.PoolManager() as pool:
        reply = pool.request("POST", url, body=body)
        return reply.status, reply.data


def by_urllib3_stream(url, body):
    with urllib3.PoolManager() as pool:
        reply = pool.request("POST", url, body=body, preload_content=False)
        raw = b"".join(reply.stream(64))
        reply.release_conn()
        return reply.status, raw


def by_requests(url, body):
    with requests.Session() as session:
        reply = session.post(url, data=body)
        return reply.status_code, reply.content


def by_requests_stream(url, body):
    with requests.Session() as session, session.post(url, data=body, stream=True) as reply:
        return reply.status_code, b"".join(reply.iter_content(None))


def by_aiohttp(url, body):
    async def go():
        async with aiohttp.ClientSession() as session, session.post(url, data=body) as reply:
            return reply.status, await reply.read()

    return asyncio.run(go())


CLIENTS = [by_http_client, by_urllib, by_urllib3, by_urllib3_stream, by_requests, by_requests_stream]


@pytest.mark.parametrize("send", CLIENTS)
@pytest.mark.parametrize("text", ["plain", "stream"])
def test_every_client_records_and_replays_the_same_bytes(send, text, server, tmp_path):
    """Whole and streamed replies, several on one connection, are the same with the server stopped."""
    bodies = [json.dumps({"model": "m", "ask": f"{text} {number}"}).encode() for number in range(3)]
    url = f"{server.url}/v1/chat/completions"
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        live = [send(url, body) for body in bodies]
    server.shutdown()
    server.server_close()
    with use_cassette(tmp_path / "a.yaml"):
        replayed = [send(url, body) for body in bodies]

    assert live == replayed
    assert 200 == live[0][0]
    assert live[0][1] == (
        b"".join(server.chunks) if text == "stream" else json.dumps({"received": json.loads(bodies[0])}).encode()
    )


def test_stream_is_replayed_in_the_recorded_chunks(server, tmp_path):
    """Urllib3 yields the same chunks as while recording."""

    def read():
        with urllib3.PoolManager() as pool:
            reply = pool.request(
                "POST", f"{server.url}/v1/chat/completions", body=b'{"a": "stream"}', preload_content=False
            )
            return list(reply.stream())

    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        live = read()
    with use_cassette(tmp_path / "a.yaml"):
        replayed = read()

    assert server.chunks == live == replayed


FRAMED = {
    "by length": [b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe", b"llo"],
    "in chunks": [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nl",
        b"lo\r\n0\r\nTrailer: 1\r\n\r\n",
    ],
    "until the connection closes": [b"HTTP/1.1 200 OK\r\n\r\nhe", b"llo"],
    "in HTTP/1.0": [b"HTTP/1.0 200 OK\r\n\r\nhe", b"llo"],
    "after 100 Continue": [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"],
}


@pytest.mark.parametrize("parts", FRAMED.values(), ids=FRAMED)
@pytest.mark.parametrize("send", [*CLIENTS, by_aiohttp])
def test_every_framing_of_a_reply_is_recorded_whole(send, parts, tmp_path):
    """Whatever ends a reply, it is recorded as complete and replayed without a server."""

    def script(connection):
        for part in parts:
            connection.sendall(part)
        return "close"

    with contextlib.closing(raw_server.RawServer(script)) as server:
        url = f"{server.url}/chat/completions"
        with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
            assert (200, b"hello") == send(url, b"{}")
    with use_cassette(tmp_path / "a.yaml") as cassette:
        assert (200, b"hello") == send(url, b"{}")

    assert "end: complete" in (tmp_path / "a.yaml").read_text()
    assert ["replay"] == [call.source for call in cassette.calls]


def test_retries_of_urllib3_are_recorded_as_exchanges(server, tmp_path):
    """A retried 503 is recorded, counted and replayed like the reply after it."""
    server.failures = [503]

    def ask():
        retry = Retry(2, status_forcelist=[503], allowed_methods=["POST"], backoff_factor=0)
        with urllib3.PoolManager(retries=retry) as pool:
            return pool.request("POST", f"{server.url}/v1/chat/completions", body=b"{}").status

    with use_cassette(tmp_path / "a.yaml", Mode.RECORD) as recorded:
        assert 200 == ask()
    with use_cassette(tmp_path / "a.yaml") as replayed:
        assert 200 == ask()

    assert [503, 200] == [call.status for call in recorded.calls] == [call.status for call in replayed.calls]


def test_boto3_call_is_replayed(server, tmp_path):
    """The AWS client signs, sends and parses as usual, and gets the recorded reply."""

    def converse():
        client = boto3.client(
            "bedrock-runtime",
            region_name="us-east-1",
            endpoint_url=server.url,
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="secret",
            config=botocore.config.Config(retries={"max_attempts": 1}),
        )
        message = {"role": "user", "content": [{"text": "ping"}]}
        return client.converse(modelId="amazon.nova-lite-v1:0", messages=[message])["output"]

    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        live = converse()
    server.shutdown()
    server.server_close()
    with use_cassette(tmp_path / "a.yaml"):
        replayed = converse()

    assert server.converse["output"] == live == replayed


def test_miss_reaches_requests_without_retries(server, tmp_path):
    """The reply has the difference, and the call is made once."""
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        by_requests(f"{server.url}/v1/chat/completions", b'{"a": 1}')
    notes = SimpleNamespace(status=None, text=None)
    with pytest.raises(Exception, match="no recording matches POST"), use_cassette(tmp_path / "a.yaml") as cassette:
        reply = requests.post(f"{server.url}/v1/chat/completions", data=b'{"a": 2}')
        notes.status, notes.text = reply.status_code, reply.json()["error"]["message"]

    assert 470 == notes.status
    assert "differs in a: 2 != 1" in notes.text
    assert 1 == len([call for call in cassette.calls if call.source == "miss"])


def test_refused_connection_is_replayed(server, tmp_path):
    """The replayed error is a ConnectionError of requests, as the recorded one."""
    server.shutdown()
    server.server_close()
    for mode in (Mode.RECORD, Mode.REPLAY):
        with use_cassette(tmp_path / "a.yaml", mode), pytest.raises(requests.ConnectionError):
            requests.post(f"{server.url}/v1/chat/completions", data=b"{}")


def test_threads_share_a_cassette(server, tmp_path):
    """Concurrent calls are recorded once each, and each gets its own reply."""

    def many():
        answers = {}

        def ask(number):
            body = json.dumps({"n": number}).encode()
            answers[number] = json.loads(by_requests(f"{server.url}/v1/chat/completions", body)[1])["received"]["n"]

        running = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        return answers

    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        live = many()
    with use_cassette(tmp_path / "a.yaml"):
        replayed = many()

    assert {number: number for number in range(12)} == live == replayed

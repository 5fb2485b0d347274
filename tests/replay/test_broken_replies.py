"""Replies that break off: the recorded error is raised again when it is replayed."""

import asyncio
import socket
import struct
import threading

import aiohttp
import httpx
import httpx2
import pytest
import requests
import urllib3

from llm_gateway.cassettes.modes import Mode
from llm_gateway.interception.use_cassette import use_cassette

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n"
FAULTS = {
    "short": (HEAD + b"hello", "close"),
    "stalled": (HEAD + b"hello", "wait"),
    "silent": (b"", "wait"),
    "reset": (HEAD + b"hello", "reset"),
    "gone": (b"", "close"),
}


@pytest.fixture
def faulty(request):
    """Start a server that sends the fault's bytes and then closes, resets or waits."""
    sent, then = FAULTS[request.param]
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve():
        while not over.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection):
        with connection:
            connection.recv(65536)
            connection.sendall(sent)
            if then == "wait":
                over.wait()
            if then == "reset":
                over.wait(0.1)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1/chat/completions", sent, then
    over.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def by_requests(url, timeout_s):
    with requests.Session() as session:
        return session.post(url, json={"a": 1}, timeout=timeout_s).content


def by_urllib3(url, timeout_s):
    with urllib3.PoolManager(retries=False) as pool:
        return pool.request("POST", url, json={"a": 1}, timeout=timeout_s).data


def by_httpx(url, timeout_s):
    return httpx.post(url, json={"a": 1}, timeout=timeout_s).content


def by_httpx2(url, timeout_s):
    return httpx2.post(url, json={"a": 1}, timeout=timeout_s).content


def by_aiohttp(url, timeout_s):
    async def go():
        timeout = aiohttp.ClientTimeout(sock_read=timeout_s)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.post(url, json={"a": 1}) as reply:
            return await reply.read()

    return asyncio.run(go())


def error_of(call, url, timeout_s):
    try:
        return call(url, timeout_s)
    except Exception as error:  # noqa: BLE001  each library has its own
        return type(error)


def record(call, url, timeout_s, path):
    """Record *call*, with a longer timeout where the machine needs it until all that the server sends has arrived."""
    for seconds in (timeout_s, 10 * timeout_s, 100 * timeout_s):
        with use_cassette(path, Mode.RECORD):
            error = error_of(call, url, seconds)
        if "hello" in path.read_text():
            break
    return error


@pytest.mark.parametrize("faulty", FAULTS, indirect=True)
@pytest.mark.parametrize("call", [by_requests, by_urllib3, by_httpx, by_httpx2, by_aiohttp])
def test_replay_raises_the_recorded_error(call, faulty, tmp_path):
    """Each library raises an error of the same class as when it was recorded."""
    url, sent, then = faulty
    timeout_s = 0.3 if then == "wait" else 60
    if sent:
        live = record(call, url, timeout_s, tmp_path / "a.yaml")
    else:
        with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
            live = error_of(call, url, timeout_s)
    with use_cassette(tmp_path / "a.yaml"):
        replayed = error_of(call, url, timeout_s)

    assert isinstance(live, type)
    assert live is replayed

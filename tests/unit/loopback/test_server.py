"""The loopback server, over real sockets."""

import contextlib
import http.client
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from llm_gateway.loopback.outgoing import BrokenError
from llm_gateway.loopback.server import Server

HANG_S = 60
"""How long the tests wait for an event that always comes."""
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CUT = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n"


@contextlib.contextmanager
def serving(handler):
    server = Server(handler)
    try:
        yield server
    finally:
        server.close()
    for thread in threading.enumerate():
        if thread.name == "llm_server":
            thread.join(HANG_S)
            assert not thread.is_alive()


def connected(server):
    return contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=HANG_S))


def ok(request):
    yield OK, 0.0


def post(connection, body=b"x", **headers):
    connection.request("POST", "/x", body=body, headers=headers)
    return connection.getresponse().read()


def test_a_connection_is_kept_alive():
    """One thread and one connection serve many requests."""
    seen = set()

    def handler(request):
        seen.add(threading.get_ident())
        yield OK, 0.0

    with serving(handler) as server, connected(server) as connection:
        assert [b"ok"] * 3 == [post(connection) for _ in range(3)]

    assert 1 == len(seen)


def test_requests_are_answered_concurrently():
    """None waits for another's reply."""
    together = threading.Barrier(8, timeout=HANG_S)

    def handler(request):
        together.wait()
        yield OK, 0.0

    def one(_):
        with connected(server) as connection:
            return post(connection)

    with serving(handler) as server, ThreadPoolExecutor(8) as pool:
        assert [b"ok"] * 8 == list(pool.map(one, range(8)))


def test_a_large_body_arrives_complete():
    """20 MB, with a length and in chunks."""
    sizes = []

    def handler(request):
        sizes.append(len(request.body))
        yield OK, 0.0

    big = b"x" * 20_000_000
    with serving(handler) as server, connected(server) as connection:
        post(connection, big)
        connection.request("POST", "/x", body=iter([big[:7_000_000], big[7_000_000:]]), encode_chunked=True)
        connection.getresponse().read()

    assert [20_000_000] * 2 == sizes


def test_a_slow_client_is_waited_for():
    """Even if it sends byte by byte."""
    with serving(ok) as server, socket.create_connection(("127.0.0.1", server.port), HANG_S) as client:
        for byte in b"GET / HTTP/1.1\r\nhost: h\r\n\r\n":
            client.sendall(bytes([byte]))
        assert OK == client.recv(1000)


def test_chunks_are_sent_with_their_delays():
    """The first arrives before the second is produced, and the second not before its delay."""
    has_arrived = threading.Event()

    def handler(request):
        yield CUT, 0.0
        assert has_arrived.wait(HANG_S)
        yield b"0\r\n\r\n", 0.05

    with serving(handler) as server, connected(server) as connection:
        connection.request("GET", "/")
        response = connection.getresponse()
        assert b"ok" == response.read1()
        start = time.monotonic()
        has_arrived.set()
        assert b"" == response.read()

    assert [] == server.errors
    assert 0.05 <= time.monotonic() - start


@pytest.mark.parametrize(
    ("ending", "error"),
    [("close", http.client.RemoteDisconnected), ("reset", ConnectionResetError), ("hang", TimeoutError)],
)
def test_a_connection_can_be_broken_before_the_reply(ending, error):
    """As the client sees it."""

    def handler(request):
        raise BrokenError(ending)
        yield

    with serving(handler) as server, connected(server) as connection:
        connection.timeout = 0.1 if ending == "hang" else HANG_S
        connection.request("GET", "/")
        with pytest.raises(error) as raised:
            connection.getresponse()

    assert error is type(raised.value)


def test_a_cut_reply_ends_without_its_terminator():
    """Every chunk before that arrives."""

    def handler(request):
        yield CUT, 0.0
        raise BrokenError("close")

    with (
        serving(handler) as server,
        connected(server) as connection,
        pytest.raises(http.client.IncompleteRead) as raised,
    ):
        post(connection)

    assert b"ok" == raised.value.partial


def test_closing_does_not_wait_for_clients():
    """Be they idle, in the middle of a request, or waiting for the rest of a reply."""

    def handler(request):
        yield CUT, 0.0
        yield b"0\r\n\r\n", 60 * HANG_S

    with serving(handler) as server, contextlib.ExitStack() as clients:
        for text in (
            b"",
            b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nhi",
            b"GET / HTTP/1.1\r\nhost: h\r\n\r\n",
        ):
            client = clients.enter_context(socket.create_connection(("127.0.0.1", server.port), HANG_S))
            client.sendall(text)
        assert client.recv(1)  # accepted last, so all three are


def test_an_error_of_the_handler_is_reported():
    """The client gets it too, if nothing was sent before."""

    def handler(request):
        if request.method == "POST":
            yield CUT, 0.0
        raise FileNotFoundError("no such prompt")

    with serving(handler) as server, connected(server) as connection:
        connection.request("GET", "/")
        response = connection.getresponse()
        assert (500, b"FileNotFoundError: no such prompt\n") == (response.status, response.read())
        with pytest.raises(http.client.IncompleteRead):
            post(connection)

    assert ["no such prompt"] * 2 == [str(error) for error in server.errors]


BAD = {
    "no request": (b"nonsense\r\n\r\n", b"400 Bad Request", b"illegal request line"),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", b"400 Bad Request", b"Missing mandatory Host: header"),
    "length": (b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: x\r\n\r\n", b"400 Bad Request", b"bad Content-Length"),
    "chunk": (
        b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"400 Bad Request",
        b"illegal chunk header: ",
    ),
    "header": (
        b"GET / HTTP/1.1\r\nhost: h\r\na: " + b"x" * 70_000,
        b"431 Request Header Fields Too Large",
        b"Receive buffer too long",
    ),
    "version": (b"PRI * HTTP/2.0\r\n\r\n", b"505 HTTP Version Not Supported", b"illegal HTTP version"),
}


@pytest.mark.parametrize(("raw", "status", "reason"), BAD.values(), ids=BAD)
def test_a_malformed_request_is_rejected(raw, status, reason):
    """With the reason; the connection is closed, as the start of the next request is unknown."""
    with serving(ok) as server, socket.create_connection(("127.0.0.1", server.port), HANG_S) as client:
        client.sendall(raw)
        answer = b"".join(iter(lambda: client.recv(1000), b""))

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 " + status + b"\r\n")
    what, why = body.splitlines()
    assert what.startswith(b"llm_server cannot read this request: " + reason)
    assert b"  it reads plain HTTP/1.1, neither TLS nor HTTP/2; the connection is closed" == why


def test_pipelined_requests_are_answered_in_order():
    """Those that a client sends without waiting for the replies."""

    def handler(request):
        body = request.target.encode()
        yield b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body), 0.0

    raw = b"".join(b"GET /%d HTTP/1.1\r\nhost: h\r\n\r\n" % number for number in range(3))
    raw += b"GET /last HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"
    with serving(handler) as server, socket.create_connection(("127.0.0.1", server.port), HANG_S) as client:
        client.sendall(raw)
        answer = b"".join(iter(lambda: client.recv(1000), b""))

    assert [b"/0", b"/1", b"/2", b"/last"] == [one.partition(b"\r\n\r\n")[2] for one in answer.split(b"HTTP/1.1 ")[1:]]

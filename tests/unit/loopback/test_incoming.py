"""Requests as clients write them."""

import gzip
import io

import pytest

from llm_gateway.loopback.incoming import MalformedError, read


def read_all(raw, proceed=lambda: None):
    file = io.BytesIO(raw)
    return list(iter(lambda: read(file, proceed), None))


def test_requests_behind_one_another():
    """A connection goes on, whatever frames the bodies, until the client has it closed."""
    first, second, third = read_all(
        b"POST /a?x=1 HTTP/1.1\r\nHost: h\r\nX-One: 1\r\ncontent-length: 2\r\n\r\nhi"
        b"\r\nPOST /b HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: 1\r\n\r\n"
        b"GET http://127.0.0.1:80/c?u=http://x/y HTTP/1.1\r\nConnection: close\r\n\r\n"
    )

    assert ("POST", "/a?x=1", (("X-One", "1"),), b"hi", False) == (
        first.method,
        first.target,
        first.headers,
        first.body,
        first.is_last,
    )
    assert (b"hello", False) == (second.body, second.is_last)
    assert ("/c?u=http://x/y", b"", True) == (third.target, third.body, third.is_last)


def test_a_compressed_body_is_unpacked():
    """Its encoding goes with it."""
    packed = gzip.compress(b"{}")

    (request,) = read_all(
        b"POST / HTTP/1.1\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed) + packed
    )

    assert (b"{}", ()) == (request.body, request.headers)


def test_a_client_that_waits_is_told_to_go_on():
    """Curl does so with long bodies."""
    told = []

    read_all(b"POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\nx", lambda: told.append(1))

    assert [1] == told


@pytest.mark.parametrize(
    ("head", "is_last"), [("HTTP/1.0\r\n", True), ("HTTP/1.0\r\nConnection: Keep-Alive\r\n", False)]
)
def test_old_clients_close_unless_they_say_otherwise(head, is_last):
    """As HTTP/1.0 has it."""
    (request,) = read_all(f"GET / {head}\r\n".encode())

    assert is_last is request.is_last


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\x16\x03\x01 hello\r\n", "is no line of HTTP/1.1; TLS and HTTP/2 are not spoken here"),
        (b"PRI * HTTP/2.0\r\n\r\n", "is no line of HTTP/1.1; TLS and HTTP/2 are not spoken here"),
        (b"GET / HTTP/1.1\r\nnonsense\r\n\r\n", "'nonsense' is no header"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 201 + b"\r\n", "more than 200 headers"),
        (b"GET /" + b"x" * 70_000, "a line is longer than 65536 bytes"),
        (b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", "'-1' is no length of a body"),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n", "'xyz' is no length of a body"),
        (b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nhi", "the body ended after 2 of 9 bytes"),
        (
            b"POST / HTTP/1.1\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nhi",
            "a body in 'gzip' cannot be read",
        ),
    ],
)
def test_what_is_no_request_is_told(raw, text):
    """In words that show it."""
    with pytest.raises(MalformedError) as raised:
        read_all(raw)

    assert text in str(raised.value)

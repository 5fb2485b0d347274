"""Requests as the loopback server parses them."""

import gzip

import pytest

from llm_gateway.loopback.incoming import MalformedError, RequestStream


def read_all(raw, *, size=1 << 16, sent=None):
    """Return the requests in *raw*, which arrives in chunks of *size* bytes."""
    chunks = [raw[start : start + size] for start in range(0, len(raw), size)]
    stream = RequestStream(lambda most: chunks.pop(0) if chunks else b"", (sent if sent is not None else []).append)
    return list(iter(stream.read, None))


@pytest.mark.parametrize("size", [1, 7, 1 << 16])
def test_several_requests_on_one_connection(size):
    """However bodies are framed and split, until a request has ``Connection: close``."""
    first, second, third = read_all(
        b"POST /a?x=1 HTTP/1.1\r\nHost: h\r\nX-One: 1\r\ncontent-length: 2\r\n\r\nhi"
        b"\r\nPOST /b HTTP/1.1\r\nHost: h\r\ntransfer-encoding: chunked\r\n\r\n"
        b"2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: 1\r\n\r\n"
        b"GET http://127.0.0.1:80/c?u=http://x/y HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        size=size,
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


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"\r\n\r\n"])
def test_a_connection_without_a_request_is_no_error(raw):
    """It ends without one."""
    assert [] == read_all(raw)


def test_a_compressed_body_is_decompressed():
    """Its content-encoding header is removed."""
    packed = gzip.compress(b"{}")

    (request,) = read_all(
        b"POST / HTTP/1.1\r\nhost: h\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed) + packed
    )

    assert (b"{}", ()) == (request.body, request.headers)


def test_expect_100_continue_is_answered_once():
    """Curl sends it before long bodies."""
    sent = []
    head = b"POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n"
    (request,) = read_all(head + b"xy", size=len(head), sent=sent)

    assert [b"HTTP/1.1 100 \r\n\r\n"] == sent
    assert b"xy" == request.body


def test_http_1_0_connections_are_closed():
    """They need no Host header."""
    (request,) = read_all(b"GET / HTTP/1.0\r\n\r\n")

    assert request.is_last


@pytest.mark.parametrize(
    ("raw", "status", "text"),
    [
        (b"\x16\x03\x01 hello\r\n", 400, "illegal request line"),
        (b"nonsense\r\n\r\n", 400, "illegal request line"),
        (b"PRI * HTTP/2.0\r\n\r\n", 505, "illegal HTTP version"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "Missing mandatory Host: header"),
        (b"GET / HTTP/1.1\r\nhost: h\r\nhost: i\r\n\r\n", 400, "Found multiple Host: headers"),
        (b"GET / HTTP/1.1\r\nnonsense\r\n\r\n", 400, "illegal header line"),
        (b"GET / HTTP/1.1\r\na: " + b"x" * 70_000, 431, "Receive buffer too long"),
        (b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: -1\r\n\r\n", 400, "bad Content-Length"),
        (
            b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            400,
            "conflicting Content-Length headers",
        ),
        (
            b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
            400,
            "illegal chunk header: ",
        ),
        (
            b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: gzip\r\n\r\n",
            501,
            "Only Transfer-Encoding: chunked is supported",
        ),
        (
            b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nhi",
            400,
            "peer closed connection without sending complete message body (received 2 bytes, expected 9)",
        ),
        (b"POST / HTTP/1.1\r\nhost:", 400, "peer unexpectedly closed connection"),
        (
            b"POST / HTTP/1.1\r\nhost: h\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nhi",
            400,
            "its body in 'gzip' cannot be unpacked",
        ),
    ],
)
@pytest.mark.parametrize("size", [3, 1 << 17])
def test_a_malformed_request_has_a_reason_and_a_status(raw, status, text, size):
    """However it is split."""
    with pytest.raises(MalformedError) as raised:
        read_all(raw, size=size)

    assert str(raised.value).startswith(text)
    assert status == raised.value.status

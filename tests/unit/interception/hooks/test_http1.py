"""HTTP/1.1 requests and replies, parsed from the bytes on the connection."""

import pytest

from llm_gateway.cassettes.recording import Recording
from llm_gateway.exceptions import CassetteError
from llm_gateway.interception.hooks.http1 import ReplyReader, WrittenRequest
from llm_gateway.types import WireRequest

URL = "http://api.example.com/v1/messages"
CHUNKED = b"HTTP/1.1 200 OK\r\nX-Name: v\r\ntransfer-encoding: chunked\r\n\r\n"


def split(raw, size):
    return [raw[start : start + size] for start in range(0, len(raw), size)]


@pytest.mark.parametrize("size", [1, 10, 10_000])
@pytest.mark.parametrize(
    "framed",
    [
        b"Content-Length: 5\r\n\r\nhello",
        b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nA: b\r\n\r\n",
    ],
)
def test_a_request_is_complete_with_its_last_byte(framed, size):
    """With a length or in chunks, however its bytes are split; header names keep their case."""
    raw = b"POST /v1/messages HTTP/1.1\r\nHost: h\r\nX-One:  1 \r\n" + framed
    written = WrittenRequest("POST", URL)
    found = [written.feed(memoryview(one)) for one in split(raw, size)]
    request = written.request()

    assert [False] * (len(found) - 1) + [True] == found
    assert raw == written.raw
    assert ("POST", URL, b"hello") == (request.method, request.url, request.body)
    assert (("Host", "h"), ("X-One", "1")) == request.headers[:2]


def test_an_incomplete_request_is_read_as_far_as_it_goes():
    """Its stated length is too high; a real server would wait for the rest too."""
    written = WrittenRequest("POST", URL)

    assert b"" == written.request().body
    assert not written.feed(b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nhi")
    assert b"hi" == written.request().body


def test_an_invalid_content_length_is_left_to_the_server():
    """A recorded call is rejected by the server; a replay compares the bytes that were sent."""
    written = WrittenRequest("POST", URL)

    assert written.feed(b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: soon\r\n\r\nhi")
    assert b"hi" == written.request().body


def test_malformed_chunks_are_an_error():
    """Callers may frame bodies without their HTTP library."""
    written = WrittenRequest("POST", URL)
    with pytest.raises(CassetteError) as raised:
        written.feed(b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\nhello\r\n")

    first, why, fix = raised.value.report.splitlines()
    assert f"CassetteError: the request POST {URL} cannot be read" == first
    assert why.startswith("  its body is no HTTP/1.1: illegal chunk header: ")
    assert "  give it a content-length, or let the library cut it into chunks" == fix


def read(*data, method="POST", closed=False, error=None):
    """Feed *data* to a reader, then close the connection if *closed*, and return the recorded exchanges."""
    done = []
    reader = ReplyReader(Recording(WireRequest(method, URL), done.append), method)
    for one in data:
        reader.feed(one)
    if closed:
        reader.closed(error)
    return done


def test_chunks_that_arrive_together_are_recorded_separately():
    """A chunk that arrives in two reads is recorded as two; trailers are left out."""
    (exchange,) = read(CHUNKED + b"3\r\none\r\n3\r\ntwo\r\n5\r\nth", b"ree\r\n0\r\nTrailer: 1\r\n\r\n", b"next")

    assert [3, 3, 2, 3] == [chunk.length for chunk in exchange.chunks]
    assert ("complete", b"onetwothree") == (exchange.end, exchange.reply.body)
    assert (("X-Name", "v"), ("transfer-encoding", "chunked")) == exchange.reply.headers


@pytest.mark.parametrize("size", [1, 7])
def test_a_reply_may_arrive_in_any_parts(size):
    """Also split within its head or a chunk's framing, and after an informational reply."""
    raw = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + CHUNKED + b"a\r\n0123456789\r\n0\r\n\r\n"
    (exchange,) = read(*split(raw, size))

    assert (200, "OK", b"0123456789") == (exchange.reply.status, exchange.reason, exchange.reply.body)


@pytest.mark.parametrize(
    ("raw", "method"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", "POST"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n", "HEAD"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "DELETE"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "POST"),
    ],
)
def test_a_reply_of_known_length_is_recorded_at_its_end(raw, method):
    """Closing the connection afterwards changes nothing."""
    (exchange,) = read(raw, method=method)

    assert ("complete", None) == (exchange.end, exchange.failure)
    assert 1 == len(read(raw, method=method, closed=True, error=OSError("gone")))


def test_a_reply_of_unknown_length_ends_when_the_connection_closes():
    """Nothing else marks its end."""
    raw = b"HTTP/1.0 200\r\n\r\nhel"

    assert [] == read(raw, b"lo")
    (exchange,) = read(raw, b"lo", closed=True)
    assert ("complete", b"hello") == (exchange.end, exchange.reply.body)


@pytest.mark.parametrize(
    ("raw", "error", "failure", "text", "body"),
    [
        (b"", None, "read", "the connection was closed before the reply was whole", None),
        (b"HTTP/1.1 200 OK\r\n", None, "read", "the connection was closed before the reply was whole", None),
        (CHUNKED + b"3\r\non", None, "read", "the connection was closed before the reply was whole", b"on"),
        (CHUNKED + b"3\r\non", ConnectionResetError("reset"), "read", "reset", b"on"),
        (CHUNKED + b"3\r\none\r\nzz\r\n", None, "protocol", "illegal chunk header: ", b"one"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", None, "protocol", "bad Content-Length", None),
    ],
)
def test_an_interrupted_or_malformed_reply_is_recorded_as_far_as_it_came(raw, error, failure, text, body):
    """It ends with "error", and is recorded once."""
    (exchange,) = read(raw, closed=True, error=error)

    assert ("error", failure) == (exchange.end, exchange.failure)
    assert exchange.failure_text.startswith(text)
    assert body == (exchange.reply and exchange.reply.body)

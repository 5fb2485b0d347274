"""Exchanges as the loopback server sends them."""

import pytest

from llm_gateway.exchange import Chunk, HttpExchange
from llm_gateway.loopback.outgoing import BrokenError, encode_reply
from llm_gateway.types import WireReply, WireRequest

REQUEST = WireRequest("POST", "https://api.example.com/v1/messages")
STREAM = WireReply(200, (("transfer-encoding", "chunked"), ("Connection", "close")), b"onetwo")


def encoded(exchange):
    """Return all that is sent, and how the connection ends."""
    parts = []
    try:
        parts.extend(encode_reply(exchange, "POST"))
    except BrokenError as broken:
        return parts, broken.ending
    return parts, None


def test_a_stream_is_sent_with_its_chunks_and_delays():
    """Headers about the recorded connection are left out."""
    exchange = HttpExchange(REQUEST, STREAM, "OK", (Chunk(3, 0.0), Chunk(3, 0.0)), waits=(1.0, 0.0, 2.0))

    parts, ending = encoded(exchange)

    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    assert [(head, 1.0), (b"3\r\none\r\n", 0.0), (b"3\r\ntwo\r\n", 2.0), (b"0\r\n\r\n", 0.0)] == parts
    assert ending is None


@pytest.mark.parametrize(
    ("more", "ending"),
    [
        ({"failure": "protocol", "end": "error"}, "close"),
        ({"failure": "read", "end": "error"}, "close"),
        ({"failure": "read_timeout", "end": "error"}, "hang"),
        ({"end": "partial"}, "close"),
    ],
)
def test_an_interrupted_reply_is_sent_without_its_end(more, ending):
    """The client gets every chunk, but not the announced end."""
    parts, found = encoded(HttpExchange(REQUEST, STREAM, "OK", (Chunk(3, 0.0), Chunk(3, 0.0)), **more))

    assert b"3\r\ntwo\r\n" == parts[-1][0]
    assert ending == found


@pytest.mark.parametrize(
    ("failure", "ending"),
    [
        ("connect", "reset"),
        ("read", "reset"),
        ("protocol", "close"),
        ("read_timeout", "hang"),
        ("connect_timeout", "hang"),
    ],
)
def test_a_failure_without_a_reply_sends_nothing(failure, ending):
    """The client sees only how the connection ends."""
    parts, found = encoded(HttpExchange(REQUEST, None, failure=failure, waits=(0.5,)))

    assert [(b"", 0.5)] == parts
    assert ending == found

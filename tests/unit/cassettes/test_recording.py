"""What a recording keeps of an exchange."""

import gzip

import pytest

from llm_gateway.cassettes.recording import Recording
from llm_gateway.types import WireRequest

REQUEST = WireRequest("POST", "https://api.example.com/v1/messages")


@pytest.fixture
def done():
    return []


@pytest.fixture
def recording(done):
    return Recording(REQUEST, done.append)


def test_a_stream_keeps_its_cuts(recording, done):
    """Each piece is kept with its length, in order."""
    recording.head(200, "OK", [("content-type", "text/event-stream")])
    for piece in (b"data: 1\n", b"\n", b"data: 2\n\n"):
        recording.chunk(piece)
    recording.finish()

    assert b"data: 1\n\ndata: 2\n\n" == done[0].reply.body
    assert [8, 1, 9] == [chunk.length for chunk in done[0].chunks]
    assert "complete" == done[0].end


def test_a_compressed_stream_is_kept_plain_with_its_cuts(recording, done):
    """The file must be readable; the cuts are those of the plain text."""
    packed = gzip.compress(b"hello " * 50)
    recording.head(200, "OK", [("Content-Encoding", "gzip"), ("Content-Length", str(len(packed)))])
    recording.chunk(packed[:20])
    recording.chunk(packed[20:])
    recording.finish()

    assert b"hello " * 50 == done[0].reply.body
    assert () == done[0].reply.headers
    assert 300 == sum(chunk.length for chunk in done[0].chunks) or not done[0].chunks


def test_it_ends_once(recording, done):
    """What comes after the end changes nothing."""
    recording.head(200, "OK", [])
    recording.finish("partial")
    recording.chunk(b"late")
    recording.fail("read", "late")

    assert 1 == len(done)
    assert "partial" == done[0].end
    assert b"" == done[0].reply.body


def test_a_failure_before_the_reply_is_kept(recording, done):
    """A refused connection has no reply, and its kind."""
    recording.fail("connect", "connection refused")

    assert done[0].reply is None
    assert ("connect", "connection refused", "error") == (done[0].failure, done[0].failure_text, done[0].end)

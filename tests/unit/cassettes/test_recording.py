"""What is recorded of one exchange."""

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


def test_a_stream_keeps_its_chunk_boundaries(recording, done):
    """The length of each chunk is recorded, in order."""
    recording.head(200, "OK", [("content-type", "text/event-stream")])
    for chunk in (b"data: 1\n", b"\n", b"data: 2\n\n"):
        recording.chunk(chunk)
    recording.finish()

    assert done[0].reply.body == b"data: 1\n\ndata: 2\n\n"
    assert [one.length for one in done[0].chunks] == [8, 1, 9]
    assert done[0].end == "complete"


def test_a_compressed_stream_is_recorded_decompressed(recording, done):
    """The file must be readable; chunk boundaries are those of the decompressed text."""
    packed = gzip.compress(b"hello " * 50)
    recording.head(200, "OK", [("Content-Encoding", "gzip"), ("Content-Length", str(len(packed)))])
    recording.chunk(packed[:20])
    recording.chunk(packed[20:])
    recording.finish()

    assert done[0].reply.body == b"hello " * 50
    assert done[0].reply.headers == ()
    assert sum(chunk.length for chunk in done[0].chunks) == 300 or not done[0].chunks


def test_a_recording_ends_once(recording, done):
    """Anything after the end changes nothing."""
    recording.head(200, "OK", [])
    recording.finish("partial")
    recording.chunk(b"late")
    recording.fail("read", "late")

    assert len(done) == 1
    assert done[0].end == "partial"
    assert done[0].reply.body == b""


def test_a_failure_before_the_reply_is_recorded(recording, done):
    """A refused connection has no reply, but a kind of failure."""
    recording.fail("connect", "connection refused")

    assert done[0].reply is None
    assert (done[0].failure, done[0].failure_text, done[0].end) == ("connect", "connection refused", "error")


@pytest.mark.parametrize(
    ("last", "end"),
    [
        (b'data: {"candidates": [{"finishReason": "STOP"}], "usageMetadata": {}}\r\n\r\n', "complete"),
        (b'[{"candidates": [{"finishReason": 1}]}', "complete"),
        (b'data: {"promptFeedback":{"blockReason":"SAFETY"}}\n\n', "complete"),
        (b'data: {"candidates":[{"finishReason":"FINISH_REASON_UNSPECIFIED"}]}\n\n', "partial"),
        (
            rb'data: {"candidates":[{"content":{"parts":[{"text":"{\"finishReason\":\"STOP\"}"}]}}]}' + b"\n\n",
            "partial",
        ),
    ],
)
def test_a_gemini_stream_is_complete_after_its_finish_reason(last, end, recording, done):
    """Clients stop reading there, since no event marks the end."""
    recording.head(200, "OK", [("content-type", "text/event-stream")])
    recording.chunk(b'data: {"candidates":[{"content":{"parts":[{"text":"a"}]}}]}\n\n')
    recording.chunk(last)
    recording.finish("partial")

    assert end == done[0].end

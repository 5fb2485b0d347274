"""Parser and encoder of AWS event streams."""

import botocore.eventstream
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_gateway.wire.framing.eventstream import EventFrame, FrameParser, encode, frames

texts = st.dictionaries(st.text(min_size=1, max_size=9), st.text(max_size=9), max_size=3)


@given(made=st.lists(st.tuples(texts, st.binary(max_size=20)), max_size=3), size=st.integers(1, 40))
def test_a_written_frame_is_read_from_chunks_of_any_size(made, size):
    """By our parser, and by botocore's."""
    data = b"".join(encode(headers, payload) for headers, payload in made)
    parser, theirs = FrameParser(), botocore.eventstream.EventStreamBuffer()
    theirs.add_data(data)
    found = [frame for start in range(0, len(data), size) for frame in parser.feed(data[start : start + size])]

    assert made == [(frame.texts, frame.payload) for frame in found]
    assert made == [(frame.headers, frame.payload) for frame in theirs]


def test_headers_of_other_types_are_passed_over():
    """Each type has its own length: true, a byte, bytes, a timestamp, then text."""
    coded = b"\1a\0" + b"\1b\2\xff" + b"\1c\6\0\2hi" + b"\1d\x08" + bytes(8) + b"\1e\7\0\2ok"
    (frame,) = FrameParser().feed(EventFrame(0, 0, coded, b"").with_payload(b"{}"))
    assert {"e": "ok"} == frame.texts


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: b"data: {}\n\n" + data, "no frame of an event stream"),
        (lambda data: data.replace(b"pong", b"ping"), "checksum of a frame is not that of its bytes"),
        (lambda data: bytes(4) + data[4:], "no frame of an event stream"),
    ],
)
def test_bytes_that_are_no_frame_raise_at_once(change, words):
    """Not waited for: a length made of junk may be gigabytes."""
    with pytest.raises(ValueError, match=words):
        FrameParser().feed(change(encode({"a": "b"}, b"pong")))


def test_a_recording_may_end_anywhere():
    """What is whole before the cut is read."""
    data = encode({}, b"one") + encode({}, b"two")
    assert [b"one"] == [frame.payload for frame in frames(data[:-1])]

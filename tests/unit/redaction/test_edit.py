"""Replacements in chunked bytes, and in the frames of event streams."""

import base64
import json
import zlib

from hypothesis import given
from hypothesis import strategies as st

from llm_gateway.exchange import Chunk, HttpExchange
from llm_gateway.redaction.edit import ChunkedBytes, Edit
from llm_gateway.redaction.scrub import Scrubber
from llm_gateway.types import WireReply, WireRequest

TOKEN = "sk-ant-" + "api03-" + "A1b2" * 12
chunks = st.lists(st.binary(max_size=9), min_size=1, max_size=8)
edits = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9), st.binary(max_size=9)), max_size=6)


@given(chunks, edits)
def test_chunks_add_up_to_the_edited_bytes(parts, wanted):
    """The sum of the lengths is that of the data, the number of chunks is kept, and so are chunks that no edit touches."""
    data = b"".join(parts)
    made = [Edit(start, start + size, new) for start, size, new in wanted if start + size <= len(data)]
    edited = ChunkedBytes(data, tuple(map(len, parts))).edited([lambda _: made])
    start, untouched = 0, []
    for part, new in zip(parts, edited.split(), strict=True):
        if all(edit.end <= start or edit.start >= start + len(part) for edit in made):
            untouched.append((part, new))
        start += len(part)

    assert edited.data == b"".join(edited.split())
    assert len(edited.data) == sum(edited.lengths)
    assert all(part == new for part, new in untouched)


def test_a_boundary_inside_a_secret_stays_inside_its_replacement():
    """A boundary three bytes into the secret is three bytes into the replacement, or at its end."""
    edited = ChunkedBytes(b"abcSECRETdef", (6, 6)).edited([lambda _: [Edit(3, 9, b"[N]")]])

    assert [b"abc[N]", b"def"] == edited.split()


def test_bytes_without_chunks_stay_without():
    """A reply that arrived whole stays whole."""
    assert ChunkedBytes(b"ab[N]", ()) == ChunkedBytes(b"abSECRET", ()).edited([lambda _: [Edit(2, 8, b"[N]")]])


def frame(payload, headers=b"\x0b:event-type\x07\x00\x05chunk"):
    prelude = (16 + len(headers) + len(payload)).to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    message = prelude + zlib.crc32(prelude).to_bytes(4, "big") + headers + payload
    return message + zlib.crc32(message).to_bytes(4, "big")


def scrubbed(*frames):
    headers = (("content-type", "application/vnd.amazon.eventstream"),)
    reply = WireReply(200, headers, b"".join(frames))
    chunks = tuple(Chunk(len(one), 0.0) for one in frames)
    return Scrubber({}).scrub(HttpExchange(WireRequest("POST", "https://h/"), reply, chunks=chunks))


def test_event_streams_get_new_lengths_and_checksums():
    """The payload is scrubbed, its frame is rewritten, the frames around it stay."""
    first, last = frame(b'{"a": 1}'), frame(b'{"b": 2}')
    clean = scrubbed(first, frame(json.dumps({"text": f"a {TOKEN}"}).encode()), last)
    expected = [first, frame(b'{"text": "a [SECRET]"}'), last]

    assert b"".join(expected) == clean.reply.body
    assert [len(one) for one in expected] == [chunk.length for chunk in clean.chunks]


def test_a_model_s_own_event_inside_an_event_is_scrubbed():
    """Bedrock wraps what the model streams in base64."""

    def wrapped(text):
        inner = base64.b64encode(json.dumps({"delta": text}).encode()).decode()
        return frame(json.dumps({"bytes": inner, "p": "abc"}, separators=(",", ":")).encode())

    assert wrapped("[SECRET]") == scrubbed(wrapped(TOKEN)).reply.body


def test_an_inner_event_without_a_secret_keeps_its_bytes():
    """Base64 has several spellings of the same bytes, and a checksum may cover them."""
    events = [frame(b'{"bytes":"QR=="}'), frame(b'{"bytes":"Q"}')]

    assert b"".join(events) == scrubbed(*events).reply.body


def test_what_is_no_event_stream_is_left_from_there_on():
    """A stream that broke off inside a frame keeps its last bytes."""
    whole, cut = frame(b'{"a": 1}'), frame(b'{"b": 2}')[:-3]

    assert whole + cut == scrubbed(whole, cut).reply.body

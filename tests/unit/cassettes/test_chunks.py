"""Streams split at other chunk boundaries decode to the same reply."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_gateway.cassettes.chunks import STRATEGIES, events, recut, split
from llm_gateway.exchange import HttpExchange
from llm_gateway.types import ChatReply, TextPart, TokenUsage, ToolCall, WireReply, WireRequest
from llm_gateway.wire import anthropic, bedrock, cohere, gemini, openai_chat, openai_responses

DIALECTS = [module.DIALECT for module in (anthropic, bedrock, cohere, gemini, openai_chat, openai_responses)]
REPLY = ChatReply(
    parts=(TextPart("Žluť “¿?” 🦊\n\nend"), ToolCall("call_1", "look_up", {"where": "Łódź", "how": ['"', "\\"]})),
    stop_reason="tool_use",
    model="m",
    usage=TokenUsage(12, 3, 15),
)
streams = st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from(["data: {}", "é🦊", '"input": "a\\"b"', "\r\n", "\n", "\r", " "]), max_size=30).map(
        lambda parts: "".join(parts).encode()
    ),
)


def decoded(dialect, parts):
    decoder = dialect.stream_decoder()
    for part in parts:
        decoder.feed(part)
    return decoder.is_finished, decoder.error, decoder.reply()


@given(streams, st.one_of(st.sampled_from([name for name in STRATEGIES if name != "crlf"]), st.integers()))
def test_the_chunks_joined_are_the_stream(body, how):
    """No chunk is empty, and the same strategy splits the same way each time."""
    parts = split(body, how)

    assert body == b"".join(parts)
    assert all(parts)
    assert parts == split(body, how)


@given(streams)
def test_crlf_changes_only_line_ends(body):
    """Each CRLF is split between two chunks."""
    parts = split(body, "crlf")

    assert body.replace(b"\r\n", b"\n").replace(b"\r", b"\n") == b"".join(parts).replace(b"\r\n", b"\n")
    assert not any(b"\r\n" in part for part in parts)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("how", [*STRATEGIES, *range(5)])
def test_each_dialect_decodes_the_same_reply_at_any_chunk_boundaries(dialect, how):
    """Even with one byte a chunk."""
    body = b"".join(dialect.encode_stream(REPLY))

    assert decoded(dialect, [body]) == decoded(dialect, split(body, how))


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_splitting_by_events_yields_the_events_that_the_dialect_encoded(dialect):
    """Each event is one chunk."""
    written = list(dialect.encode_stream(REPLY))

    assert b"".join(written) == b"".join(events(b"".join(written)))
    assert len(events(b"".join(written))) == sum(len(events(one)) for one in written) >= len(written)


@pytest.mark.parametrize(
    ("how", "body", "parts"),
    [
        ("whole", "data: é\n\n", ["data: é\n\n"]),
        ("utf8", "é🦊", [b"\xc3", b"\xa9\xf0", b"\x9f", b"\xa6", b"\x8a"]),
        ("tools", '{"arguments": "ab"}', ['{"arguments": "', "a", "b", '"}']),
        ("ends", "a\r\nb\n", ["a", "\r", "\n", "b", "\n"]),
        ("crlf", "a\n\nb", ["a\r", "\n\r", "\nb"]),
        (7, "0123456789" * 3, None),
    ],
)
def test_each_strategy_splits_at_its_boundaries(how, body, parts):
    """A number is the seed of random boundaries."""
    found = split(body.encode(), how)

    if parts is None:
        assert found == split(body.encode(), how) != split(body.encode(), how + 1)
    else:
        assert [part if isinstance(part, bytes) else part.encode() for part in parts] == found


def test_an_aws_frame_is_split_inside_its_length_headers_and_checksum():
    """And between its payload and the fields around it."""
    [frame] = list(bedrock.DIALECT.encode_stream(ChatReply(parts=(), model="m", stop_reason="end_turn")))[:1]

    assert [2, 2, 4, 4] == [len(part) for part in split(frame, "ends")][:4]
    assert [2, 2] == [len(part) for part in split(frame, "ends")][-2:]


def exchange(kind, body, **headers):
    response_headers = (("content-type", kind), ("content-length", str(len(body))), *headers.items())
    return HttpExchange(
        WireRequest("POST", "https://api.openai.com/v1/chat/completions"), WireReply(200, response_headers, body)
    )


def test_a_reply_that_is_not_streamed_is_not_split():
    """Its parser waits for the whole body anyway."""
    one = exchange("application/json", b'{"a": "\xc3\xa9"}')

    assert one is recut(one, "bytes")


def test_a_split_stream_is_sent_chunked_without_a_content_length():
    """As providers send it; HTTP libraries may join the parts of a body of known length."""
    one = recut(exchange("text/event-stream", b"data: 1\n\n"), "bytes")

    assert [1] * 9 == [chunk.length for chunk in one.chunks]
    assert (("content-type", "text/event-stream"), ("transfer-encoding", "chunked")) == one.reply.headers

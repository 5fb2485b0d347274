"""Streams split the arguments of a call, as real ones do."""

import json

import pytest

from llm_gateway.types import ChatReply, ToolCall
from llm_gateway.wire import anthropic, bedrock, cohere, gemini, ollama, openai_chat, openai_responses
from llm_gateway.wire.parts.function_calls import split_arguments

ARGUMENTS = {"city": "Reykjavik", "days": 3}
CALL = ToolCall("call_1", "forecast", ARGUMENTS)


@pytest.mark.parametrize("text", ["", "{}", "abc", '{"a": "é"}', "x" * 1_000])
def test_at_most_four_chunks_make_up_the_text(text):
    """None is empty, unless all is."""
    chunks = split_arguments(text)

    assert text == "".join(chunks)
    assert len(chunks) <= 4
    assert all(chunks) or chunks == [""]


@pytest.mark.parametrize(
    "dialect",
    [anthropic.DIALECT, bedrock.DIALECT, cohere.DIALECT, openai_chat.DIALECT, openai_responses.DIALECT],
    ids=lambda one: one.name,
)
def test_arguments_come_bit_by_bit(dialect):
    """The first chunk alone is no JSON, as at the providers; the decoder joins the chunks."""
    events = list(dialect.encode_stream(ChatReply((CALL,), stop_reason="tool_use")))
    first = next(at for at, event in enumerate(events) if b"Rey" in event)
    decoder = dialect.stream_decoder()
    for event in events:
        decoder.feed(event)

    assert b"Reykjavik" not in events[first]
    assert (CALL,) == decoder.reply().tool_calls


@pytest.mark.parametrize("dialect", [gemini.DIALECT, ollama.DIALECT], ids=lambda one: one.name)
def test_some_apis_send_them_whole(dialect):
    """Their arguments are an object, not a text."""
    events = [json.loads(one.removeprefix(b"data: ")) for one in dialect.encode_stream(ChatReply((CALL,), id="1"))]

    assert 1 == sum("Reykjavik" in json.dumps(event) for event in events)


def test_text_in_blocks():
    """Mistral's models that think send lists, which hold no text while they think."""
    decoder = openai_chat.DIALECT.stream_decoder()
    thought = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]
    contents = [thought, [{"type": "text", "text": "so"}], "!"]
    chunks = [{"choices": [{"index": 0, "delta": {"content": content}}]} for content in contents]
    deltas = [delta for chunk in chunks for delta in decoder.feed(b"data: " + json.dumps(chunk).encode() + b"\n\n")]

    assert ["so", "!"] == [delta.text for delta in deltas]
    assert "so!" == decoder.reply().text

"""What is Ollama's own: lines in place of events, images without a type, calls without ids."""

import json

import pytest

from llm_gateway.exceptions import ProviderError
from llm_gateway.types import (
    ChatReply,
    ChatRequest,
    ImagePart,
    LLMMessage,
    TextPart,
    ThinkingPart,
    ToolResult,
)
from llm_gateway.wire.ollama import DIALECT


def line(**fields):
    return json.dumps({"model": "m", "created_at": "2026-08-07T06:08:11Z", "done": False} | fields).encode() + b"\n"


def test_thinking_goes_before_the_answer():
    """Streamed or not; a truncated answer has its own stop reason."""
    reply = ChatReply((ThinkingPart("hm"), TextPart("so")), model="m", stop_reason="max_tokens")
    decoder = DIALECT.stream_decoder()
    deltas = [delta for event in DIALECT.encode_stream(reply) for delta in decoder.feed(event)]

    assert [("hm", ""), ("", "so")] == [(delta.thinking, delta.text) for delta in deltas]
    assert reply == decoder.reply() == DIALECT.decode_reply(DIALECT.encode_reply(reply))


def test_calls_without_ids_get_their_own():
    """Those of two replies differ, and results find them by name, or by order where they have no name."""
    function = {"name": "weigh", "arguments": {}}
    body = {"created_at": "2026-08-07T06:08:11.5Z", "message": {"tool_calls": [{"function": function}]}}
    assert "call_202608070608115_1" == DIALECT.decode_reply(body).tool_calls[0].id

    turns = [
        {"role": "assistant", "tool_calls": [{"function": function}, {"function": {"name": "cut", "arguments": {}}}]},
        {"role": "tool", "content": "two", "tool_name": "cut"},
        {"role": "tool", "content": "1 kg"},
    ]
    _, *results = DIALECT.decode_request({"messages": turns}).messages
    assert [ToolResult("call_2", "two"), ToolResult("call_1", "1 kg")] == [one.parts[0] for one in results]


def test_what_a_request_leaves_out():
    """It streams by default; JSON without a schema is its JSON mode, and a limit below 0 is none."""
    read = DIALECT.decode_request({"format": "json", "options": {"num_predict": -1}})

    assert (True, None, True, {}) == (read.stream, read.max_tokens, read.json_mode, read.extra)
    assert DIALECT.encode_request(read)["format"] == "json"


def test_an_image_by_address_is_refused():
    """Before it is sent."""
    request = ChatRequest("m", (LLMMessage("user", (ImagePart(url="https://example.com/a.png"),)),))

    with pytest.raises(ProviderError) as caught:
        DIALECT.encode_request(request)

    assert "ollama takes no image by address: 'https://example.com/a.png'" == caught.value.message
    assert "fetch the image and give ImagePart(data=..., media_type='image/png')" == caught.value.fix


def test_an_error_inside_a_stream():
    """It is no answer then, whatever came before."""
    decoder = DIALECT.stream_decoder()
    deltas = decoder.feed(line(message={"role": "assistant", "content": "so"}) + b'{"error":"out of memory"}\n')

    assert ["so"] == [delta.text for delta in deltas]
    assert ("server", "out of memory") == (decoder.error.kind, decoder.error.message)
    assert not decoder.is_finished

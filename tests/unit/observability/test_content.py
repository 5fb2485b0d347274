"""Prompts and answers, in the form of OpenTelemetry's conventions."""

import json

import pytest

from llm_gateway.observability.tracing import reply_attributes, request_attributes
from llm_gateway.types import (
    ChatReply,
    ChatRequest,
    ImagePart,
    LLMMessage,
    TextPart,
    ThinkingPart,
    ToolCall,
    ToolResult,
)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (TextPart("a"), {"type": "text", "content": "a"}),
        (ThinkingPart("a"), {"type": "reasoning", "content": "a"}),
        (ToolCall("1", "weigh", {"a": 1}), {"type": "tool_call", "id": "1", "name": "weigh", "arguments": {"a": 1}}),
        (ToolResult("1", "2 kg"), {"type": "tool_call_response", "id": "1", "response": "2 kg"}),
        (
            ImagePart(url="https://example.com/a.png"),
            {"type": "uri", "modality": "image", "mime_type": None, "uri": "https://example.com/a.png"},
        ),
        (ImagePart(b"abc", "image/png"), {"type": "blob", "modality": "image", "mime_type": "image/png", "size": 3}),
    ],
)
def test_each_part_has_its_form(part, expected):
    """An image's bytes are left out."""
    found = request_attributes(ChatRequest("m", (LLMMessage("user", (part,)),)))

    assert {"gen_ai.input.messages"} == found.keys()
    assert [{"role": "user", "parts": [expected]}] == json.loads(found["gen_ai.input.messages"])


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("end_turn", "stop"), ("max_tokens", "length"), ("tool_use", "tool_call"), ("refusal", "refusal"), (None, None)],
)
def test_why_an_answer_ended(reason, expected):
    """The conventions' word where they have one; no attribute without a reason."""
    (message,) = json.loads(reply_attributes(ChatReply((TextPart("a"),), stop_reason=reason))["gen_ai.output.messages"])

    assert expected == message.get("finish_reason")

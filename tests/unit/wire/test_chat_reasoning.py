"""Reasoning in chat completions, which hosts send in a field of their own."""

import dataclasses
import json

import pytest

from llm_gateway.types import ChatRequest, LLMMessage, TextPart, ThinkingPart
from llm_gateway.wire.openai_chat import DIALECT

TURN = LLMMessage("assistant", (ThinkingPart("because"), TextPart("42")))


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_the_reasoning_of_a_reply_is_a_part(field):
    """It comes before the text, whichever field the host has for it."""
    message = {"role": "assistant", "content": "42", field: "because"}
    reply = DIALECT.decode_reply({"choices": [{"message": message, "finish_reason": "stop"}]})

    assert TURN.parts == reply.parts


def test_the_reasoning_of_a_stream_is_in_its_deltas():
    """And whole in the reply at its end."""
    deltas = [{"reasoning": "be"}, {"reasoning": "cause"}, {"content": "42"}]
    decoder = DIALECT.stream_decoder()
    found = [
        one
        for delta in deltas
        for one in decoder.feed(b"data: " + json.dumps({"choices": [{"delta": delta}]}).encode() + b"\n\n")
    ]

    assert ["be", "cause", ""] == [one.thinking for one in found]
    assert TURN.parts == decoder.reply().parts


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", None])
def test_reasoning_goes_back_where_the_host_takes_it(field):
    """OpenAI's own API has no such field, and gets none."""
    dialect = dataclasses.replace(DIALECT, reasoning_name=field)
    (message,) = dialect.encode_request(ChatRequest("m", (TURN,)))["messages"]
    row = {"role": "assistant", "content": "42"}

    assert ({**row, field: "because"} if field else row) == message


def test_reasoning_of_another_kind_is_left_alone():
    """A host may have an object under the same name."""
    message = {"content": "42", "reasoning": {"effort": "low"}}

    assert (TextPart("42"),) == DIALECT.decode_reply({"choices": [{"message": message}]}).parts

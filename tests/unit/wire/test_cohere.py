"""What is Cohere's own: plans, one tool that must be called, errors that have words only."""

import json

import pytest

from llm_gateway.types import ChatReply, ChatRequest, LLMMessage, TextPart, ThinkingPart, TokenUsage, Tool, ToolCall
from llm_gateway.wire.cohere import DIALECT
from llm_gateway.wire.framing import sse

CALL = ToolCall("1", "weigh", {"what": "lead"})


def streamed(*events):
    decoder = DIALECT.stream_decoder()
    deltas = [delta for event in events for delta in decoder.feed(event)]
    return decoder, deltas


@pytest.mark.parametrize("parts", [(ThinkingPart("hm"), CALL), (ThinkingPart("hm"), TextPart("It is heavy."))])
def test_reasoning_in_a_turn_with_calls_is_their_plan(parts):
    """Without calls it is a block of the content; either goes back as it came."""
    reply = ChatReply(parts, stop_reason="end_turn", usage=TokenUsage(3, 4, 1))
    message = DIALECT.encode_reply(reply)["message"]

    assert ("hm" if CALL in parts else None) == message.get("tool_plan")
    assert reply == DIALECT.decode_reply(DIALECT.encode_reply(reply))
    decoder, deltas = streamed(*DIALECT.encode_stream(reply))
    assert reply == decoder.reply()
    assert "hm" == "".join(delta.thinking for delta in deltas)
    request = ChatRequest("m", (LLMMessage("assistant", parts),))
    assert request == DIALECT.decode_request(DIALECT.encode_request(request))


def test_a_tool_that_must_be_called_is_the_only_one():
    """The API has no word for its name."""
    tools = tuple(Tool(name, "", {"type": "object"}) for name in ("weigh", "measure"))
    body = DIALECT.encode_request(ChatRequest("m", (), tools=tools, tool_choice="measure"))

    assert ("REQUIRED", ["measure"]) == (body["tool_choice"], [one["function"]["name"] for one in body["tools"]])
    assert "NONE" == DIALECT.encode_request(ChatRequest("m", (), tools=tools, tool_choice="none"))["tool_choice"]


def test_citations_and_documents():
    """The text stays, its sources are left out; a document that a tool found is its result."""
    content = [
        {"type": "document", "document": {"data": {"title": "A"}}},
        {"type": "text", "text": "!"},
        {"type": "audio"},
    ]
    request = DIALECT.decode_request({"messages": [{"role": "tool", "tool_call_id": "1", "content": content}]})
    assert '{"title": "A"}!' == request.messages[0].parts[0].content

    cited = sse.encode("citation-start", json.dumps({"type": "citation-start", "index": 0, "delta": {"message": {}}}))
    decoder, deltas = streamed(cited, *DIALECT.encode_stream(ChatReply((TextPart("so"),))))
    assert (["so"], True) == ([delta.text for delta in deltas], decoder.is_finished)


@pytest.mark.parametrize(("reason", "kind"), [("ERROR", "server"), ("TIMEOUT", "timeout")])
def test_an_error_at_the_end_of_a_stream(reason, kind):
    """It is no answer then, whatever came before."""
    end = {"type": "message-end", "delta": {"finish_reason": reason, "error": "it broke"}}
    decoder, _ = streamed(sse.encode("message-end", json.dumps(end)))
    assert (kind, "it broke", reason) == (decoder.error.kind, decoder.error.message, decoder.error.type)
    assert not decoder.is_finished


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (404, "model 'nonexistent' not found", "not_found"),
        (401, "invalid api token", "auth"),
        (400, "too many tokens: total number of tokens in the prompt cannot exceed 4081", "context_window"),
        (429, "You are using a Trial key, which is limited to 1000 API calls / month.", "quota_exhausted"),
        (429, "You are using a Trial key, which is limited to 20 API calls / minute.", "rate_limited"),
        (422, "invalid request", "invalid_request"),
        (503, "unavailable", "overloaded"),
    ],
)
def test_an_error_has_its_kind(status, words, kind):
    """By its status, or by its message where the status is ambiguous."""
    facts = DIALECT.decode_error(status, (), json.dumps({"id": "1", "message": words}).encode())
    assert (kind, words) == (facts.kind, facts.message)

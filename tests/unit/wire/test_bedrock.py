"""What is Converse's own: turns brought together, blocks of the provider's tools, errors in three places."""

import json

import pytest

from llm_gateway.exceptions import ProviderError
from llm_gateway.types import ChatRequest, LLMMessage, TextPart, ThinkingPart, TokenUsage, Tool, ToolCall, ToolResult
from llm_gateway.wire.bedrock import DIALECT
from llm_gateway.wire.framing import eventstream

TOOL = Tool("weigh", "", {"type": "object"})
CALLS = (
    LLMMessage("user", (TextPart("weigh both"),)),
    LLMMessage("assistant", (TextPart(""), ToolCall("1", "weigh", {}), ToolCall("2", "weigh", {}))),
    LLMMessage("tool", (ToolResult("1", "1 kg"),)),
    LLMMessage("tool", (ToolResult("2", "broken", is_error=True),)),
    LLMMessage("user", (TextPart("well?"),)),
)


def test_turns_of_one_side_are_brought_together():
    """The API refuses two in a row, results of parallel calls in two turns, and empty text."""
    user, assistant, results = DIALECT.encode_request(ChatRequest("m", CALLS, tools=(TOOL,)))["messages"]

    assert ["user", "assistant", "user"] == [user["role"], assistant["role"], results["role"]]
    assert ["1", "2"] == [block["toolUse"]["toolUseId"] for block in assistant["content"]]
    first, second, text = results["content"]
    assert {"toolUseId": "1", "content": [{"text": "1 kg"}]} == first["toolResult"]
    assert "error" == second["toolResult"]["status"]
    assert {"text": "well?"} == text


def test_none_is_to_have_no_tools():
    """The API has no word for it; where calls were made already, it wants the tools, and the request is refused."""
    request = ChatRequest("m", CALLS[:1], tools=(TOOL,), tool_choice="none")
    assert "toolConfig" not in DIALECT.encode_request(request)

    with pytest.raises(ProviderError) as caught:
        DIALECT.encode_request(ChatRequest("m", CALLS, tools=(TOOL,), tool_choice="none"))
    assert "unsupported_param" == caught.value.kind
    assert (
        "bedrock takes no tool_choice 'none' in a conversation that holds calls of tools\n"
        "  its Converse API requires the tools of those calls, and has no choice 'none'\n"
        "  leave tool_choice out, or leave the calls and their results out of the messages"
    ) == str(caught.value)


def test_blocks_of_a_reply():
    """Cited text is text; what the provider did with its own tools, and reasoning that it hides, are left out."""
    content = [
        {"reasoningContent": {"redactedContent": "AAAA"}},
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}},
        {"text": ""},
        {"toolUse": {"toolUseId": "1", "name": "run", "input": {}, "type": "server_tool_use"}},
        {"toolResult": {"toolUseId": "1", "content": [{"json": {}}], "type": "run_result"}},
        {"citationsContent": {"content": [{"text": "It reads "}, {"text": "so."}], "citations": [{"title": "A"}]}},
        {"toolUse": {"toolUseId": "2", "name": "weigh", "input": {"what": "lead"}, "type": "tool_use"}},
    ]
    usage = {"inputTokens": 1, "outputTokens": 2, "totalTokens": 12, "cacheWriteInputTokens": 9}
    details = [{"ttl": "5m", "inputTokens": 4}, {"ttl": "1h", "inputTokens": 5}]
    body = {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": "guardrail_intervened",
        "usage": usage | {"cacheDetails": details},
        "serviceTier": {"type": "priority"},
    }
    reply = DIALECT.decode_reply(body)

    assert (
        ThinkingPart("hm", "c2ln"),
        TextPart("It reads so."),
        ToolCall("2", "weigh", {"what": "lead"}),
    ) == reply.parts
    assert "content_filter" == reply.stop_reason
    expected = TokenUsage(10, 2, cache_write_tokens=9, cache_write_1h_tokens=5, service_tier="priority")
    assert expected == reply.usage
    assert reply == DIALECT.decode_reply(DIALECT.encode_reply(reply))
    assert reply == streamed(reply)


def streamed(reply):
    decoder = DIALECT.stream_decoder()
    for frame in DIALECT.encode_stream(reply):
        decoder.feed(frame)
    return decoder.reply()


def event(kind, **fields):
    headers = {":message-type": "event", ":event-type": kind}
    return eventstream.encode(headers, json.dumps({"contentBlockIndex": 0, **fields}).encode())


def test_a_stream_leaves_out_the_same_blocks():
    """Hidden reasoning and tools of the provider; a call whose arguments are no JSON is still a call."""
    decoder = DIALECT.stream_decoder()
    server = {"toolUseId": "1", "name": "run", "type": "server_tool_use"}
    deltas = [
        decoder.feed(one)
        for one in (
            event("messageStart", role="assistant"),
            event("contentBlockDelta", delta={"reasoningContent": {"redactedContent": "AAAA"}}),
            event("contentBlockStart", contentBlockIndex=1, start={"toolUse": server}),
            event("contentBlockDelta", contentBlockIndex=1, delta={"toolUse": {"input": "{}"}}),
            event("contentBlockStop", contentBlockIndex=1),
            event("contentBlockStart", contentBlockIndex=2, start={"toolUse": {"toolUseId": "2", "name": "weigh"}}),
            event("contentBlockDelta", contentBlockIndex=2, delta={"toolUse": {"input": '{"wh'}}),
            event("contentBlockStop", contentBlockIndex=2),
            event("messageStop", stopReason="max_tokens"),
        )
    ]

    assert [ToolCall("2", "weigh", {"": '{"wh'})] == [delta.tool_call for one in deltas for delta in one]
    assert (ToolCall("2", "weigh", {"": '{"wh'}),) == decoder.reply().parts
    assert "max_tokens" == decoder.reply().stop_reason
    assert not decoder.is_finished  # the usage is still to come


@pytest.mark.parametrize(
    ("status", "name", "message", "kind"),
    [
        (429, "ThrottlingException", "Too many requests, please wait", "rate_limited"),
        (400, "ServiceQuotaExceededException", "Your account's quota", "quota_exhausted"),
        (408, "ModelTimeoutException", "Model timed out", "timeout"),
        (424, "ModelErrorException", "The model failed", "server"),
        (429, "ModelNotReadyException", "Model is not ready", "overloaded"),
        (503, "ServiceUnavailableException", "Too busy", "overloaded"),
        (500, "InternalServerException", "Unexpected", "server"),
        (403, "AccessDeniedException", "You don't have access to the model", "permission"),
        (403, "UnrecognizedClientException", "The security token included in the request is invalid.", "auth"),
        (403, "InvalidSignatureException", "The request signature we calculated does not match", "auth"),
        (403, None, "The security token included in the request is expired", "auth"),
        (404, "ResourceNotFoundException", "Could not resolve the foundation model", "not_found"),
        (400, "ValidationException", "The provided model identifier is invalid.", "not_found"),
        (400, "ValidationException", "Input is too long for requested model.", "context_window"),
        (400, "ValidationException", "prompt is too long: 200001 tokens > 200000 maximum", "context_window"),
        (400, "ValidationException", "Too many input tokens. Max input tokens: 8192", "context_window"),
        (400, "ValidationException", "messages: wrong", "invalid_request"),
    ],
)
def test_an_error_has_its_kind(status, name, message, kind):
    """Its type is in a header, in the body, or missing."""
    header = (("X-Amzn-ErrorType", f"{name}:http://internal.amazon.com/coral/"),) if name else ()
    by_header = DIALECT.decode_error(status, header, json.dumps({"message": message}).encode())
    named = {"__type": f"com.amazon.coral.service#{name}"} if name else {}
    by_body = DIALECT.decode_error(status, (), json.dumps({**named, "Message": message}).encode())

    assert (kind, message, name) == (by_header.kind, by_header.message, by_header.type)
    assert by_header == by_body


@pytest.mark.parametrize(("body", "message"), [(b"<html>busy</html>", "busy"), (b"", "status 503")])
def test_an_error_that_is_no_json(body, message):
    """The kind of a load balancer's page follows its status."""
    facts = DIALECT.decode_error(503, (("retry-after", "2"),), body)
    assert ("overloaded", message, None, 2.0) == (facts.kind, facts.message, facts.type, facts.retry_after_s)


@pytest.mark.parametrize(
    ("headers", "payload", "kind", "message"),
    [
        ({":exception-type": "throttlingException"}, b'{"message": "slow down"}', "rate_limited", "slow down"),
        ({":exception-type": "modelStreamErrorException"}, b'{"message": "broke"}', "server", "broke"),
        ({":exception-type": "validationException"}, b'{"message": "no"}', "invalid_request", "no"),
        ({":exception-type": "internalServerException"}, b"", "server", "internalServerException"),
        ({":error-code": "InternalFailure", ":error-message": "gone"}, b"", "server", "gone"),
        ({}, b"", "server", "an error without a name"),
    ],
)
def test_an_exception_inside_a_stream(headers, payload, kind, message):
    """Of the API, or of the stream itself."""
    kind_of_frame = "exception" if ":exception-type" in headers else "error"
    decoder = DIALECT.stream_decoder()
    deltas = decoder.feed(eventstream.encode({":message-type": kind_of_frame, **headers}, payload))

    assert [] == deltas
    assert (kind, message) == (decoder.error.kind, decoder.error.message)
    assert not decoder.is_finished

"""What only Gemini does: signatures on parts, calls without ids, two framings, reasons to stop, errors of Google's."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_gateway.types import (
    ChatReply,
    ChatRequest,
    ImagePart,
    LLMMessage,
    StreamDelta,
    TextPart,
    ThinkingPart,
    TokenUsage,
    Tool,
    ToolCall,
    ToolResult,
)
from llm_gateway.wire.framing.json_stream import ArrayParser
from llm_gateway.wire.gemini import DIALECT

USER = LLMMessage("user", (TextPart("weigh it"),))


def reply_with(*parts, **candidate):
    content = {"role": "model", "parts": list(parts)}
    return {"candidates": [{"content": content, "finishReason": "STOP", **candidate}], "responseId": "r1"}


def turn_of(body):
    """The parts of a reply as the next request sends them back."""
    turn = LLMMessage("assistant", DIALECT.decode_reply(body).parts)
    return DIALECT.encode_request(ChatRequest("m", (USER, turn)))["contents"][1]["parts"]


SIGNED_PARTS = st.lists(
    st.one_of(
        st.builds(lambda s: {"text": "a", "thoughtSignature": s}, st.sampled_from(["c2ln", "bW9y"])),
        st.just({"text": "b"}),
        st.just({"text": "", "thoughtSignature": "ZW5k"}),
        st.just({"text": "hm", "thought": True}),
        st.just({"text": "hm", "thought": True, "thoughtSignature": "aG0="}),
        st.just({"functionCall": {"id": "c1", "name": "weigh", "args": {"what": "x"}}}),
        st.just({"functionCall": {"id": "c2", "name": "weigh", "args": {}}, "thoughtSignature": "Y2Fs"}),
    ),
    max_size=6,
)


@given(parts=SIGNED_PARTS)
def test_each_signature_goes_back_on_the_part_that_it_came_with(parts):
    """The API rejects a call without its signature, and a signature on another part."""
    assert parts == turn_of(reply_with(*parts))


def test_a_signature_is_reasoning_without_text_before_its_part():
    """So that a caller who keeps the parts of a turn keeps it."""
    reply = DIALECT.decode_reply(
        reply_with(
            {"text": "Let me see.", "thought": True},
            {"functionCall": {"id": "c1", "name": "weigh", "args": {}}, "thoughtSignature": "c2ln"},
        )
    )
    assert (ThinkingPart("Let me see."), ThinkingPart("", "c2ln"), ToolCall("c1", "weigh", {})) == reply.parts
    assert "" == reply.text
    assert "tool_use" == reply.stop_reason


def test_a_signature_at_the_end_of_a_stream_stays_apart():
    """Joined to the text before it, the signature would cover text that the model did not write as one part."""
    decoder = DIALECT.stream_decoder()
    for part in ({"text": "Feathers "}, {"text": "are light."}, {"text": "", "thoughtSignature": "c2ln"}):
        decoder.feed(b"data: " + json.dumps(reply_with(part, finishReason=None)).encode() + b"\n\n")
    parts = decoder.reply().parts

    assert (TextPart("Feathers are light."), ThinkingPart("", "c2ln"), TextPart("")) == parts
    again = DIALECT.encode_request(ChatRequest("m", (LLMMessage("assistant", parts),)))["contents"][0]["parts"]
    assert [{"text": "Feathers are light."}, {"text": "", "thoughtSignature": "c2ln"}] == again


def test_results_of_parallel_calls_go_back_in_one_turn_by_name():
    """Whether they are one message or several; the API counts them against the calls."""
    calls = LLMMessage("assistant", (ToolCall("c1", "weigh", {"what": "a"}), ToolCall("c2", "price", {"what": "a"})))
    results = (ToolResult("c1", "1 kg"), ToolResult("c2", "no such thing", is_error=True))
    apart = ChatRequest("m", (USER, calls, *(LLMMessage("tool", (one,)) for one in results), USER))
    together = ChatRequest("m", (USER, calls, LLMMessage("tool", results), USER))
    body = DIALECT.encode_request(apart)

    assert [
        {"functionResponse": {"id": "c1", "name": "weigh", "response": {"output": "1 kg"}}},
        {"functionResponse": {"id": "c2", "name": "price", "response": {"error": "no such thing"}}},
    ] == body["contents"][2]["parts"]
    assert ["user", "model", "user", "user"] == [one["role"] for one in body["contents"]]
    assert body == DIALECT.encode_request(together)
    assert together.messages == DIALECT.decode_request(body).messages


def test_calls_without_ids_get_some_and_their_results_find_them():
    """Models up to 2.5 name only the function; two calls of one function are matched by their order."""
    called = [{"functionCall": {"name": "weigh", "args": {"what": one}}} for one in "ab"]
    reply = DIALECT.decode_reply(reply_with(*called))
    assert ["call_r1_1", "call_r1_2"] == [call.id for call in reply.tool_calls]

    answered = [{"function_response": {"name": "weigh", "response": {"kg": kg}}} for kg in (1, 2)]
    contents = [{"role": "model", "parts": called}, {"role": "function", "parts": answered}]
    model, tool = DIALECT.decode_request({"contents": contents}).messages
    assert [("call_1", '{"kg": 1}'), ("call_2", '{"kg": 2}')] == [(one.tool_call_id, one.content) for one in tool.parts]
    assert ["call_1", "call_2"] == [call.id for call in model.parts]


def test_a_stream_gives_calls_the_ids_that_its_reply_has():
    """What was handed out as a delta is what the conversation goes on with."""
    decoder = DIALECT.stream_decoder()
    event = reply_with({"functionCall": {"name": "weigh"}}, {"functionCall": {"name": "weigh"}})
    deltas = decoder.feed(b"data: " + json.dumps(event).encode() + b"\r\n\r\n")
    expected = (ToolCall("call_r1_1", "weigh", {}), ToolCall("call_r1_2", "weigh", {}))

    assert expected == tuple(delta.tool_call for delta in deltas) == decoder.reply().tool_calls
    assert decoder.is_finished


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("STOP", "end_turn"),
        (1, "end_turn"),
        ("MAX_TOKENS", "max_tokens"),
        (2, "max_tokens"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("MODEL_ARMOR", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "error"),
        ("OTHER", "error"),
        ("CONTINUATION", "pause_turn"),
        ("FINISH_REASON_UNSPECIFIED", None),
        ("SOMETHING_NEW", None),
        (99, None),
        (None, None),
    ],
)
def test_why_an_answer_ended(reason, expected):
    """In whole replies and in streams; a candidate that was filtered has no content."""
    body = {"candidates": [{"finishReason": reason}]}
    decoder = DIALECT.stream_decoder()
    assert [] == decoder.feed(b"data: " + json.dumps(body).encode() + b"\n\n")

    assert expected == DIALECT.decode_reply(body).stop_reason == decoder.reply().stop_reason
    assert decoder.is_finished is (reason not in (None, "FINISH_REASON_UNSPECIFIED"))


def test_a_blocked_prompt_is_filtered_and_was_paid_for():
    """It has no candidate at all."""
    body = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 9}}
    decoder = DIALECT.stream_decoder()
    decoder.feed(b"data: " + json.dumps(body).encode() + b"\n\n")
    reply = DIALECT.decode_reply(body)

    assert reply == decoder.reply() == ChatReply((), stop_reason="content_filter", usage=TokenUsage(9))
    assert decoder.is_finished


LONG = {"error": {"code": 429, "message": "You exceeded your current quota.", "status": "RESOURCE_EXHAUSTED"}}


def quota(name):
    violation = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": name}]}
    wait = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7.5s"}
    return {"error": {**LONG["error"], "details": [violation, wait, "junk"]}}


def google(code, status, message="no", **more):
    return {"error": {"code": code, "message": message, "status": status, **more}}


INVALID_KEY = google(400, "INVALID_ARGUMENT", "API key not valid.", details=[{"reason": "API_KEY_INVALID"}])
NO_BILLING = google(403, "PERMISSION_DENIED", details=[{"reason": "BILLING_DISABLED", "metadata": {"service": "x"}}])
PER_DAY = google(429, "RESOURCE_EXHAUSTED", details=[{"metadata": {"quota_limit": "GenerateRequestsPerDay"}}])
TOO_LONG = "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576)."


@pytest.mark.parametrize(
    ("error", "kind", "wait_s"),
    [
        (google(400, "INVALID_ARGUMENT"), "invalid_request", None),
        (google(400, "INVALID_ARGUMENT", TOO_LONG), "context_window", None),
        (INVALID_KEY, "auth", None),
        (google(401, "UNAUTHENTICATED"), "auth", None),
        (google(403, "PERMISSION_DENIED"), "permission", None),
        (NO_BILLING, "quota_exhausted", None),
        (google(404, "NOT_FOUND"), "not_found", None),
        (quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier"), "rate_limited", 7.5),
        (quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier"), "quota_exhausted", 7.5),
        (PER_DAY, "quota_exhausted", None),
        (LONG, "rate_limited", None),
        (google(429, "RESOURCE_EXHAUSTED", details=[{"retryDelay": "soon"}]), "rate_limited", None),
        (google(499, "CANCELLED"), "cancelled", None),
        (google(500, "INTERNAL"), "server", None),
        (google(503, "UNAVAILABLE"), "overloaded", None),
        (google(504, "DEADLINE_EXCEEDED"), "timeout", None),
        (google(418, "SOMETHING_NEW"), "invalid_request", None),
        (google(529, None), "overloaded", None),
    ],
)
def test_an_error_has_its_kind_in_a_reply_and_in_both_streams(error, kind, wait_s):
    """An endpoint that streams JSON wraps even its errors in an array."""
    code, raw = error["error"]["code"], json.dumps(error).encode()
    plain, wrapped = DIALECT.decode_error(code, (), raw), DIALECT.decode_error(code, (), b"[" + raw + b"]")
    events, items = DIALECT.stream_decoder(), DIALECT.stream_decoder()
    events.feed(b"data: " + raw + b"\n\n")
    items.feed(b"[" + raw)

    assert (kind, wait_s) == (plain.kind, plain.retry_after_s)
    assert (error["error"]["message"], error["error"]["status"]) == (plain.message, plain.type)
    assert plain == wrapped == events.error == items.error


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "words", "wait_s"),
    [
        (404, (), b"<html>Not Found</html>", "not_found", "Not Found", None),
        (429, (("Retry-After", "3"),), json.dumps(LONG).encode(), "rate_limited", "You exceeded", 3.0),
        (503, (), b"", "overloaded", "status 503", None),
        (500, (), b"[]", "server", "[]", None),
        (500, (), b'{"error": {"message": ""}}', "server", "status 500", None),
    ],
)
def test_an_error_of_another_shape_is_read_as_far_as_it_goes(status, headers, body, kind, words, wait_s):
    """A proxy's page, an empty body, a wait in a header."""
    facts = DIALECT.decode_error(status, headers, body)
    assert (kind, wait_s) == (facts.kind, facts.retry_after_s)
    assert words in facts.message


WEIGHT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ['{"', "}\\", '\\"]', "é\u2028"]
)


@given(
    texts=st.lists(WEIGHT, min_size=1, max_size=5),
    ends=st.lists(st.integers(0, 10**4), max_size=40),
    indent=st.sampled_from([None, 2]),
    is_ascii=st.booleans(),
)
def test_a_json_array_reads_as_events_do_in_chunks_of_any_size(texts, ends, indent, is_ascii):
    """Vertex and Gemini stream an array unless the request has ``alt=sse``."""
    events = [reply_with({"text": text}, finishReason=None) for text in texts] + [reply_with({"text": ""})]
    as_events = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    as_array = b"\r\n" + json.dumps(events, indent=indent, ensure_ascii=is_ascii).encode()
    edges = sorted({0, len(as_array), *(end % (len(as_array) + 1) for end in ends)})
    one, other = DIALECT.stream_decoder(), DIALECT.stream_decoder()
    deltas = [delta for a, b in itertools.pairwise(edges) for delta in one.feed(as_array[a:b])]

    assert deltas == other.feed(as_events)
    assert one.reply() == other.reply()
    assert "".join(texts) == one.reply().text
    assert one.is_finished


def test_an_array_is_read_byte_by_byte_in_the_time_of_its_length():
    """Each byte is looked at once, however long an item is."""
    raw = b"\n [" + json.dumps({"text": '"{\\' * 20_000}).encode() + b",{}\n]\n"
    parser = ArrayParser()
    found = [text for byte in raw for text in parser.feed(bytes([byte]))]
    assert [{"text": '"{\\' * 20_000}, {}] == [json.loads(text) for text in found]


def test_the_usage_of_a_stream_is_that_of_its_last_event():
    """It grows from event to event."""
    decoder = DIALECT.stream_decoder()
    for count in (1, 5, 9):
        usage = {"promptTokenCount": 4, "candidatesTokenCount": count, "thoughtsTokenCount": 2}
        event = {**reply_with({"text": "x"}, finishReason=None), "usageMetadata": usage}
        assert [StreamDelta("x")] == decoder.feed(b"data: " + json.dumps(event).encode() + b"\n\n")
        assert TokenUsage(4, count + 2, reasoning_tokens=2) == decoder.reply().usage


def test_an_unknown_count_is_left_out_of_usage():
    """Neither in a reply nor in a stream."""
    reply = ChatReply((TextPart("a"),), stop_reason="end_turn")
    raw = b"".join(DIALECT.encode_stream(reply))
    decoder = DIALECT.stream_decoder()
    decoder.feed(raw)
    assert b"usage" not in raw
    assert reply == decoder.reply() == DIALECT.decode_reply(DIALECT.encode_reply(reply))


def test_other_candidates_are_left_out():
    """A reply has one text."""
    body = {"candidates": [{"index": 1, "content": {"parts": [{"text": "two"}]}, "finishReason": "STOP"}]}
    decoder = DIALECT.stream_decoder()
    assert [] == decoder.feed(b"data: " + json.dumps(body).encode() + b"\n\n")
    assert not decoder.is_finished


def test_what_only_gemini_can_say_goes_along_and_comes_back():
    """Settings without a field of ours: tools that Google runs, thinking, calling modes, safety settings."""
    request = ChatRequest(
        "",
        (USER,),
        max_tokens=5,
        tools=(Tool("weigh", "", {"type": "object"}),),
        extra={
            "tools": [{"googleSearch": {}}],
            "toolConfig": {"functionCallingConfig": {"mode": "VALIDATED"}, "retrievalConfig": {"languageCode": "de"}},
            "generationConfig": {"thinkingConfig": {"includeThoughts": True}, "topK": 7},
            "safetySettings": [],
        },
        reasoning_effort="low",
    )
    body = DIALECT.encode_request(request)

    thinking = {"thinkingLevel": "low", "includeThoughts": True}
    assert {"maxOutputTokens": 5, "thinkingConfig": thinking, "topK": 7} == body["generationConfig"]
    assert ["functionDeclarations", "googleSearch"] == [name for tool in body["tools"] for name in tool]
    assert request == DIALECT.decode_request(body)


def test_a_request_reads_the_same_in_the_other_spelling():
    """The API takes names with underscores, and schemas in the style of OpenAPI."""
    schema = {"type": "OBJECT", "properties": {"kg": {"type": "NUMBER", "nullable": True}}, "propertyOrdering": ["kg"]}
    listed = {"type": "ARRAY", "minItems": 1, "items": {"anyOf": [{"type": "STRING"}, schema]}}
    request = DIALECT.decode_request(
        {
            "model": "models/gemini-2.5-flash",
            "system_instruction": {"parts": [{"text": "Be brief."}]},
            "contents": [{"parts": [{"inline_data": {"mime_type": "image/png", "data": "_-8="}}]}],
            "tools": [{"function_declarations": [{"name": "weigh", "parameters": listed}]}],
            "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["weigh"]}},
            "generation_config": {"max_output_tokens": 5, "response_schema": schema, "response_mime_type": "x"},
        }
    )
    read = {"type": "object", "properties": {"kg": {"type": ["number", "null"]}}}

    assert (
        ChatRequest(
            "gemini-2.5-flash",
            (
                LLMMessage("system", (TextPart("Be brief."),)),
                LLMMessage("user", (ImagePart(b"\xff\xef", "image/png"),)),
            ),
            max_tokens=5,
            tools=(
                Tool("weigh", "", {"type": "array", "minItems": 1, "items": {"anyOf": [{"type": "string"}, read]}}),
            ),
            tool_choice="weigh",
            response_schema=read,
        )
        == request
    )


@pytest.mark.parametrize(
    ("url", "media_type"),
    [
        ("https://h/a.JPG?size=1", "image/jpeg"),
        ("https://h/a.webp", "image/webp"),
        ("https://h/files/abc-123", None),
        ("gs://bucket/a.txt", None),
    ],
)
def test_a_file_at_an_address_has_the_type_of_its_ending(url, media_type):
    """Vertex refuses one without; an unknown one is left to the caller's ``media_type``."""
    body = DIALECT.encode_request(ChatRequest("m", (LLMMessage("user", (ImagePart(url=url),)),)))
    assert media_type == body["contents"][0]["parts"][0]["fileData"].get("mimeType")


def test_parts_of_other_kinds_are_left_out():
    """What Google ran by itself is no answer of the model's."""
    ran = {"executableCode": {"code": "1"}, "thoughtSignature": "c2ln"}
    assert (TextPart("1"),) == DIALECT.decode_reply(reply_with(ran, {"text": "1"}, {"text": ""}, "junk")).parts

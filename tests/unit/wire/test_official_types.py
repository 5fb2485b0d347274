"""What the dialects write is what the official SDKs read: through their strict types and their stream parsers."""

import json

import anthropic
import boto3
import botocore.awsrequest
import botocore.session
import botocore.validate
import cohere as cohere_sdk
import httpx
import httpx2
import ollama as ollama_sdk
import openai
import pytest
from google import genai
from google.genai import types
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from llm_gateway.types import (
    ChatReply,
    ChatRequest,
    ImagePart,
    LLMMessage,
    TextPart,
    ThinkingPart,
    TokenUsage,
    Tool,
    ToolCall,
    ToolResult,
)
from llm_gateway.wire import anthropic as messages
from llm_gateway.wire import bedrock, cohere, gemini, ollama, openai_chat, openai_responses
from llm_gateway.wire.base import ErrorFacts
from llm_gateway.wire.framing import eventstream

REPLY = ChatReply(
    (TextPart("Hello there"), ToolCall("call_1", "weigh", {"what": "feathers"})),
    model="m-1",
    id="id-1",
    stop_reason="tool_use",
    usage=TokenUsage(12, 3, 2, 4),
)


def test_the_messages_api():
    """Every field of the type is present and of its type."""
    read = anthropic.types.Message.model_validate(messages.DIALECT.encode_reply(REPLY))
    assert "Hello there" == read.content[0].text
    assert {"what": "feathers"} == read.content[1].input
    assert (6, 2, 4, 3) == (
        read.usage.input_tokens,
        read.usage.cache_read_input_tokens,
        read.usage.cache_creation_input_tokens,
        read.usage.output_tokens,
    )


def test_chat_completions():
    """The same."""
    read = ChatCompletion.model_validate(openai_chat.DIALECT.encode_reply(REPLY))
    assert "Hello there" == read.choices[0].message.content
    assert "weigh" == read.choices[0].message.tool_calls[0].function.name
    assert 15 == read.usage.total_tokens


def test_responses():
    """The same."""
    read = Response.model_validate(openai_responses.DIALECT.encode_reply(REPLY))
    assert "Hello there" == read.output_text
    assert "weigh" == read.output[1].name
    assert 15 == read.usage.total_tokens


def test_generate_content():
    """The same; its types have every field that is written."""
    read = types.GenerateContentResponse.model_validate(gemini.DIALECT.encode_reply(REPLY))
    assert "Hello there" == read.candidates[0].content.parts[0].text
    assert [("weigh", {"what": "feathers"})] == [(call.name, call.args) for call in read.function_calls]
    assert ("m-1", "id-1", "STOP") == (read.model_version, read.response_id, read.candidates[0].finish_reason)
    usage = read.usage_metadata
    counts = (usage.prompt_token_count, usage.cached_content_token_count, usage.candidates_token_count)
    assert (12, 2, 3, 15) == (*counts, usage.total_token_count)


REQUEST = ChatRequest(
    "m-1",
    (
        LLMMessage("system", (TextPart("Be brief."),)),
        LLMMessage("user", (TextPart("Weigh it"), ImagePart(b"\xff\xd8\xff", "image/jpeg"))),
        LLMMessage("assistant", (ThinkingPart("", "c2lnbg=="), ToolCall("call_1", "weigh", {"what": "feathers"}))),
        LLMMessage("tool", (ToolResult("call_1", "1 kg"),)),
        LLMMessage("user", (ImagePart(url="https://example.com/a.png"),)),
    ),
    max_tokens=9,
    temperature=0.5,
    stop=("END",),
    tools=(Tool("weigh", "Weigh", {"type": "object", "properties": {"what": {"type": "string"}}}),),
    tool_choice="weigh",
    response_schema={"type": "object"},
)


def test_a_request_to_generate_content():
    """Its parts, tools and settings are of the types, which reject unknown fields."""
    body = gemini.DIALECT.encode_request(REQUEST)
    contents = [types.Content.model_validate(one) for one in body["contents"]]
    assert b"sign" == contents[1].parts[0].thought_signature
    assert {"output": "1 kg"} == contents[2].parts[0].function_response.response
    assert "image/png" == contents[3].parts[0].file_data.mime_type
    assert "Be brief." == types.Content.model_validate(body["systemInstruction"]).parts[0].text
    assert "weigh" == types.Tool.model_validate(body["tools"][0]).function_declarations[0].name
    assert "ANY" == types.ToolConfig.model_validate(body["toolConfig"]).function_calling_config.mode
    assert ["END"] == types.GenerationConfig.model_validate(body["generationConfig"]).stop_sequences


def test_what_the_sdk_of_gemini_sends_reads_as_what_was_meant():
    """The same question, put in the SDK's own types, is the same request."""
    sent = []

    def answer(request):
        sent.append(json.loads(request.content))
        return httpx2.Response(200, json=gemini.DIALECT.encode_reply(REPLY))

    body = gemini.DIALECT.encode_request(REQUEST)
    config = types.GenerateContentConfig(
        system_instruction="Be brief.",
        max_output_tokens=9,
        temperature=0.5,
        stop_sequences=["END"],
        tools=[types.Tool.model_validate(body["tools"][0])],
        tool_config=types.ToolConfig.model_validate(body["toolConfig"]),
        response_mime_type="application/json",
        response_json_schema={"type": "object"},
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    with httpx2.Client(transport=httpx2.MockTransport(answer)) as http:
        client = genai.Client(api_key="k", http_options=types.HttpOptions(httpx_client=http))
        contents = [types.Content.model_validate(one) for one in body["contents"]]
        client.models.generate_content(model="m-1", contents=contents, config=config)
    assert gemini.DIALECT.decode_request(body) == gemini.DIALECT.decode_request(sent[0])


def answering(dialect):
    stream = b"".join(dialect.encode_stream(REPLY, chunks=["Hello", " there"]))
    headers = {"content-type": "text/event-stream"}
    return httpx2.Client(
        transport=httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, content=stream))
    )


def test_the_messages_stream():
    """The SDK's own accumulator arrives at the same message."""
    client = anthropic.Anthropic(api_key="k", http_client=answering(messages.DIALECT))
    with client.messages.stream(model="m-1", max_tokens=9, messages=[{"role": "user", "content": "x"}]) as stream:
        texts = list(stream.text_stream)
        final = stream.get_final_message()
    assert ["Hello", " there"] == texts
    assert {"what": "feathers"} == final.content[1].input
    assert (6, 3) == (final.usage.input_tokens, final.usage.output_tokens)


def test_the_chat_stream():
    """The same."""
    client = openai.OpenAI(api_key="k", http_client=answering(openai_chat.DIALECT))
    with client.chat.completions.stream(model="m-1", messages=[{"role": "user", "content": "x"}]) as stream:
        final = stream.get_final_completion()
    assert "Hello there" == final.choices[0].message.content
    assert "weigh" == final.choices[0].message.tool_calls[0].function.name
    assert 15 == final.usage.total_tokens


def test_the_responses_stream():
    """The same."""
    client = openai.OpenAI(api_key="k", http_client=answering(openai_responses.DIALECT))
    with client.responses.stream(model="m-1", input="x") as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()
    assert ["Hello", " there"] == deltas
    assert "weigh" == final.output[1].name
    assert 15 == final.usage.total_tokens


def test_the_stream_of_generate_content():
    """The same."""
    with answering(gemini.DIALECT) as http:
        client = genai.Client(api_key="k", http_options=types.HttpOptions(httpx_client=http))
        chunks = list(client.models.generate_content_stream(model="m-1", contents="x"))
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts]
    assert ["Hello", " there"] == [part.text for part in parts if part.text]
    assert [{"what": "feathers"}] == [part.function_call.args for part in parts if part.function_call]
    assert 15 == chunks[-1].usage_metadata.total_token_count


CONVERSE = ChatRequest(
    "amazon.nova-micro-v1:0",
    (
        LLMMessage("system", (TextPart("Be brief."),)),
        LLMMessage("user", (TextPart("weigh it"), ImagePart(b"\x89PNG", "image/png"))),
        LLMMessage("assistant", (ThinkingPart("hm", "c2ln"), ToolCall("call_1", "weigh", {"what": "feathers"}))),
        LLMMessage("tool", (ToolResult("call_1", "it broke", is_error=True),)),
    ),
    max_tokens=9,
    temperature=0.5,
    stop=("END",),
    tools=(Tool("weigh", "Weigh something", {"type": "object"}),),
    tool_choice="weigh",
    response_schema={"type": "object"},
    extra={"inferenceConfig": {"topP": 0.9}, "outputConfig": {"effort": "low"}, "serviceTier": {"type": "flex"}},
)


def test_a_converse_request():
    """Its fields, at every depth, are those of AWS's own model of the API, with their types."""
    shape = botocore.session.Session().get_service_model("bedrock-runtime").operation_model("Converse").input_shape
    body = bedrock.DIALECT.encode_request(CONVERSE) | {"modelId": CONVERSE.model}
    report = botocore.validate.ParamValidator().validate(body, shape)

    assert "" == report.generate_report()
    assert unknown(body, shape) == []
    assert {"maxTokens": 9, "temperature": 0.5, "stopSequences": ["END"], "topP": 0.9} == body["inferenceConfig"]


def unknown(value, shape):
    """Return the fields of *value* that *shape* lacks; botocore's validator checks the top level alone."""
    if shape.type_name == "structure" and not shape.is_document_type:
        strange = [name for name in value if name not in shape.members]
        return strange + [one for name in value.keys() - strange for one in unknown(value[name], shape.members[name])]
    return [one for item in value for one in unknown(item, shape.member)] if shape.type_name == "list" else []


@pytest.fixture
def answering_boto3():
    """Makes a client of boto3 whose requests are answered with a media type and a body."""
    client = boto3.client("bedrock-runtime", "us-east-1", aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="k")

    def answered(request, **_):
        return botocore.awsrequest.AWSResponse(request.url, 200, {"content-type": kind}, Raw(body))

    def answer(with_kind, with_body):
        nonlocal kind, body
        kind, body = with_kind, with_body
        return client

    kind, body = "", b""
    client.meta.events.register("before-send.bedrock-runtime", answered)
    return answer


class Raw:
    """What botocore reads a reply from."""

    def __init__(self, body):
        self.body = body

    def stream(self, *_, **__):
        yield self.body


def test_a_converse_reply(answering_boto3):
    """As boto3 parses it."""
    client = answering_boto3("application/json", json.dumps(bedrock.DIALECT.encode_reply(REPLY)).encode())
    read = client.converse(modelId="m-1", messages=[{"role": "user", "content": [{"text": "x"}]}])

    text, call = read["output"]["message"]["content"]
    assert ("Hello there", {"what": "feathers"}) == (text["text"], call["toolUse"]["input"])
    assert "tool_use" == read["stopReason"]
    assert (6, 3, 15, 2, 4) == tuple(
        read["usage"][f"{name}Tokens"] for name in ("input", "output", "total", "cacheReadInput", "cacheWriteInput")
    )


def test_the_converse_stream(answering_boto3):
    """As boto3 takes its frames apart, checksums included."""
    stream = b"".join(bedrock.DIALECT.encode_stream(REPLY, chunks=["Hello", " there"]))
    client = answering_boto3("application/vnd.amazon.eventstream", stream)
    read = client.converse_stream(modelId="m-1", messages=[{"role": "user", "content": [{"text": "x"}]}])
    events = list(read["stream"])

    deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
    assert [{"text": "Hello"}, {"text": " there"}] == deltas[:2]
    assert '{"what": "feathers"}' == "".join(delta["toolUse"]["input"] for delta in deltas[2:])
    assert len(deltas) > 4
    assert 15 == events[-1]["metadata"]["usage"]["totalTokens"]


def cohere_client(kind, body):
    def answer(_):
        return httpx.Response(200, headers={"content-type": kind}, content=body)

    return cohere_sdk.ClientV2("k", httpx_client=httpx.Client(transport=httpx.MockTransport(answer)))


def test_coheres_chat():
    """As its own SDK reads it."""
    client = cohere_client("application/json", json.dumps(cohere.DIALECT.encode_reply(REPLY)).encode())
    read = client.chat(model="m-1", messages=[])

    assert ["Hello there"] == [block.text for block in read.message.content]
    assert [("call_1", '{"what": "feathers"}')] == [(one.id, one.function.arguments) for one in read.message.tool_calls]
    assert ("TOOL_CALL", 12, 3, 2) == (
        read.finish_reason,
        read.usage.tokens.input_tokens,
        read.usage.tokens.output_tokens,
        read.usage.cached_tokens,
    )


def test_coheres_stream():
    """The same, event by event."""
    client = cohere_client(
        "text/event-stream", b"".join(cohere.DIALECT.encode_stream(REPLY, chunks=["Hello", " there"]))
    )
    events = list(client.chat_stream(model="m-1", messages=[]))

    deltas = [one.delta.message.content.text for one in events if one.type == "content-delta"]
    (call,) = (one.delta.message.tool_calls for one in events if one.type == "tool-call-start")
    assert (["Hello", " there"], "weigh") == (deltas, call.function.name)
    assert ("message-start", "message-end", 12) == (
        events[0].type,
        events[-1].type,
        events[-1].delta.usage.tokens.input_tokens,
    )


def ollama_client(answer):
    return ollama_sdk.Client(transport=httpx.MockTransport(answer))


def test_ollamas_chat():
    """As its own SDK reads it."""
    read = ollama_client(lambda _: httpx.Response(200, json=ollama.DIALECT.encode_reply(REPLY))).chat("m-1")

    (call,) = read.message.tool_calls
    assert ("Hello there", "weigh", {"what": "feathers"}) == (
        read.message.content,
        call.function.name,
        call.function.arguments,
    )
    assert (True, "stop", 12, 3) == (read.done, read.done_reason, read.prompt_eval_count, read.eval_count)


def test_ollamas_stream():
    """The same, line by line."""
    lines = b"".join(ollama.DIALECT.encode_stream(REPLY, chunks=["Hello", " there"]))
    events = list(ollama_client(lambda _: httpx.Response(200, content=lines)).chat("m-1", stream=True))

    assert ["Hello", " there", "", ""] == [event.message.content for event in events]
    assert [{"what": "feathers"}] == [one.function.arguments for one in events[2].message.tool_calls]
    assert [False, False, False, True] == [event.done for event in events]
    assert (12, 3) == (events[-1].prompt_eval_count, events[-1].eval_count)


def test_ollamas_errors():
    """The SDK finds status and words."""
    facts = ErrorFacts("not_found", "model 'x' not found")
    wire = ollama.DIALECT.encode_error(404, facts)

    with pytest.raises(ollama_sdk.ResponseError, match="model 'x' not found") as caught:
        ollama_client(lambda _: httpx.Response(wire.status, content=wire.body)).chat("x")

    assert 404 == caught.value.status_code
    assert facts == ollama.DIALECT.decode_error(wire.status, wire.headers, wire.body)


def test_what_the_sdk_of_ollama_sends_reads_as_what_was_meant():
    """The same conversation in the SDK's own types; it drops the ids of calls, which are found again by name."""
    sent = []

    def answer(request):
        sent.append(json.loads(request.content))
        return httpx.Response(200, json=ollama.DIALECT.encode_reply(REPLY))

    tool = Tool("weigh", "Weigh", {"type": "object", "properties": {"what": {"type": "string"}}})
    request = ChatRequest(
        "m-1",
        (
            LLMMessage("user", (TextPart("Weigh it"), ImagePart(b"\xff\xd8\xff", "image/jpeg"))),
            LLMMessage("assistant", (ThinkingPart("hm"), ToolCall("call_1", "weigh", {"what": "feathers"}))),
            LLMMessage("tool", (ToolResult("call_1", "1 kg"),)),
        ),
        max_tokens=9,
        temperature=0.5,
        stop=("END",),
        tools=(tool,),
        response_schema={"type": "object"},
        extra={"think": True, "options": {"top_k": 1}},
    )
    body = ollama.DIALECT.encode_request(request)
    ollama_client(answer).chat(**body)

    assert request == ollama.DIALECT.decode_request(body)
    read = ollama.DIALECT.decode_request(sent[0])
    assert request.messages == read.messages
    assert (9, 0.5, ("END",), {"type": "object"}, {"think": True, "options": {"top_k": 1}}) == (
        *(read.max_tokens, read.temperature, read.stop),
        *(read.response_schema, read.extra),
    )
    assert ["weigh"] == [one.name for one in read.tools]


def test_every_frame_is_one_item():
    """A server can write each item as it is made."""
    items = list(bedrock.DIALECT.encode_stream(REPLY))
    assert all([(0, len(item))] == [(one.start, one.end) for one in eventstream.frames(item)] for item in items)
    assert len(items) > 3


LINES = [cohere.DIALECT, gemini.DIALECT, messages.DIALECT, openai_chat.DIALECT, openai_responses.DIALECT]


@pytest.mark.parametrize("dialect", LINES)
def test_every_event_is_one_item(dialect):
    """A server can write each item as it is made."""
    items = list(dialect.encode_stream(REPLY, chunks=["Hello", " there"]))
    assert all(item.endswith(b"\n\n") for item in items)
    assert len(items) > 3

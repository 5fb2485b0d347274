"""What the dialects write is what the official SDKs read: through their strict types and their stream parsers."""

import anthropic
import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from llm_gateway.types import ChatReply, TextPart, TokenUsage, ToolCall
from llm_gateway.wire import anthropic as messages
from llm_gateway.wire import openai_chat, openai_responses

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


def answering(dialect):
    stream = b"".join(dialect.encode_stream(REPLY, pieces=["Hello", " there"]))
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


@pytest.mark.parametrize("dialect", [messages.DIALECT, openai_chat.DIALECT, openai_responses.DIALECT])
def test_every_event_is_one_item(dialect):
    """A server can write each item as it is made."""
    items = list(dialect.encode_stream(REPLY))
    assert all(item.endswith(b"\n\n") for item in items)
    assert len(items) > 3

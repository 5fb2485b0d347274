"""Bedrock's invoke with Anthropic's models, as the official clients ask and read it."""

import base64
import json

import anthropic
import boto3
import pytest

from llm_gateway.exceptions import FakeMissError
from llm_gateway.fakes import FakeLLM
from llm_gateway.interception.use_cassette import use_cassette
from llm_gateway.types import ChatReply, ChatRequest, LLMMessage, TextPart, TokenUsage, ToolCall, WireRequest
from llm_gateway.wire.bedrock_invoke import DIALECT
from llm_gateway.wire.framing import eventstream

MODEL = "anthropic.claude-x-v1:0"
USER = [{"role": "user", "content": "hi"}]
CALL = ToolCall("1", "look", {"city": "Oslo"})
REPLY = ChatReply((TextPart("so"), CALL), "m", "1", "tool_use", TokenUsage(5, 2, 0, 0))


@pytest.fixture
def fake(tmp_path):
    """A fake that answers every call in this process; what is left over fails the test."""
    made = FakeLLM()
    with use_cassette(tmp_path / "none.yaml") as cassette:
        cassette.answer_by(made)
        yield made


def test_by_anthropics_client(fake):
    """Streamed or not, with calls, usage and errors."""
    fake.reply("so").reply(["so", CALL]).usage(input=9, output=4).error(429, "slow down")
    client = anthropic.AnthropicBedrock(
        aws_region="us-east-1", aws_access_key="AKIAEXAMPLE", aws_secret_key="k", max_retries=0
    )
    request = {"model": MODEL, "max_tokens": 9, "messages": USER}

    assert "so" == client.messages.create(**request).content[0].text
    with client.messages.stream(**request) as stream:
        assert ["so"] == list(stream.text_stream)
        final = stream.get_final_message()
    with pytest.raises(anthropic.RateLimitError, match="slow down"):
        client.messages.create(**request)

    assert {"city": "Oslo"} == final.content[1].input
    assert (9, 4) == (final.usage.input_tokens, final.usage.output_tokens)
    assert [(MODEL, False), (MODEL, True), (MODEL, False)] == [(one.model, one.is_streaming) for one in fake.calls]


def test_by_boto3(fake):
    """As bytes in frames, the last with the counts of Bedrock."""
    fake.reply("so").usage(input=9, output=4)
    client = boto3.client(
        "bedrock-runtime", region_name="us-east-1", aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="k"
    )
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": USER}
    reply = client.invoke_model_with_response_stream(modelId=MODEL, body=json.dumps(body))
    events = [json.loads(one["chunk"]["bytes"]) for one in reply["body"]]

    assert "message_start" == events[0]["type"]
    assert 9 == events[-1]["amazon-bedrock-invocationMetrics"]["inputTokenCount"]
    assert "req_fake_1" == reply["ResponseMetadata"]["RequestId"]


def test_what_is_written_reads_back():
    """A request without model and stream, which are in the URL; a stream in chunks of any size."""
    request = ChatRequest("", (LLMMessage("user", (TextPart("hi"),)),), max_tokens=9)
    assert request == DIALECT.decode_request(DIALECT.encode_request(request))

    decoder = DIALECT.stream_decoder()
    stream = b"".join(DIALECT.encode_stream(REPLY))
    deltas = [delta for at in range(0, len(stream), 7) for delta in decoder.feed(stream[at : at + 7])]
    assert (REPLY, True) == (decoder.reply(), decoder.is_finished)
    assert ["so", CALL] == [delta.text or delta.tool_call for delta in deltas]
    assert REPLY == DIALECT.decode_reply(DIALECT.encode_reply(REPLY))


def test_errors_inside_a_stream():
    """They are AWS's own."""
    headers = {":message-type": "exception", ":exception-type": "throttlingException"}
    decoder = DIALECT.stream_decoder()
    decoder.feed(eventstream.encode(headers, b'{"message":"slow down"}'))

    assert ("rate_limited", "slow down") == (decoder.error.kind, decoder.error.message)
    assert not decoder.is_finished
    assert "rate_limited" == DIALECT.decode_error(429, (), b"{}").kind


def test_other_makers_models_are_no_messages():
    """The fake raises, and answers nothing in a wrong format."""
    url = "https://bedrock-runtime.us-east-1.amazonaws.com/model/meta.llama3-8b-instruct-v1%3A0/invoke"
    with pytest.raises(FakeMissError, match=r"it is no request of bedrock.invoke: KeyError: 'anthropic_version'"):
        FakeLLM().answer(WireRequest("POST", url, (), b'{"prompt": "hi"}'))


def test_frames_hold_events():
    """In the code of bytes that JSON needs."""
    (frame, *_) = eventstream.frames(next(iter(DIALECT.encode_stream(REPLY))))
    assert "message_start" == json.loads(base64.b64decode(json.loads(frame.payload)["bytes"]))["type"]

"""Every recorded exchange with Converse and Cohere, decoded by its dialect: requests, replies, streams, errors."""

import dataclasses
import json

import botocore.eventstream
import pytest

from llm_gateway.types import ToolCall
from llm_gateway.wire import bedrock, cohere
from llm_gateway.wire.bedrock import DIALECT
from llm_gateway.wire.reading import read_exchange


@dataclasses.dataclass
class Recorded:
    """Recorded exchange with its row of the manifest."""

    name: str
    expected: dict
    url: str
    request: bytes
    status: int
    headers: tuple
    reply: bytes

    @property
    def dialect(self):
        return {"bedrock.converse": bedrock.DIALECT, "cohere.v2.chat": cohere.DIALECT}[self.expected["api"]]

    @property
    def is_framed(self):
        return self.expected["framing"] == "aws-eventstream"

    def decoded(self, size=1 << 20):
        """Return the reply, decoded in chunks of *size* bytes, and the deltas of a stream."""
        if not self.expected["streaming"]:
            return self.dialect.decode_reply(json.loads(self.reply)), []
        decoder = self.dialect.stream_decoder()
        deltas = [
            delta
            for start in range(0, len(self.reply), size)
            for delta in decoder.feed(self.reply[start : start + size])
        ]
        assert (True, None) == (decoder.is_finished, decoder.error), self.name
        return decoder.reply(), deltas


def exchanges(traffic, api):
    """Return all recorded exchanges of one API."""
    found = []
    for row in traffic.manifest:
        expected = {one["index"]: one for one in row["expected"] if one["api"] == api}
        for index, entry in traffic.load(row["file"]) if expected else ():
            if index in expected:
                found.append(recorded_in(traffic, row["file"], entry, expected[index]))
    return found


def recorded_in(traffic, file, entry, expected):
    request_entry, headers = entry["request"], tuple(traffic.headers_of(entry["response"]))
    request = traffic.plain(traffic.body_of(request_entry), traffic.headers_of(request_entry))
    reply = traffic.plain(traffic.body_of(entry["response"]), headers)
    return Recorded(
        f"{file} #{expected['index']}", expected, request_entry["uri"], request, expected["status"], headers, reply
    )


@pytest.fixture(scope="module")
def recorded(traffic):
    return exchanges(traffic, "bedrock.converse")


def plain_blocks(one):
    """Return text, reasoning, and names with inputs of tool calls of a reply, read without the package."""
    if not one.is_framed:
        blocks = json.loads(one.reply)["output"]["message"]["content"]
        texts = "".join(block.get("text", "") for block in blocks)
        thoughts = [
            block["reasoningContent"]["reasoningText"]["text"] for block in blocks if "reasoningContent" in block
        ]
        calls = [block["toolUse"] for block in blocks if "toolUse" in block]
        return texts, "".join(thoughts), [(call["name"], call["input"]) for call in calls if "server" not in str(call)]
    buffer = botocore.eventstream.EventStreamBuffer()
    buffer.add_data(one.reply)
    texts = thoughts = ""
    calls = {}
    for event in (json.loads(frame.payload) for frame in buffer):
        delta, index = event.get("delta") or {}, event.get("contentBlockIndex")
        texts += delta.get("text", "")
        thoughts += (delta.get("reasoningContent") or {}).get("text", "")
        if "toolUse" in event.get("start", {}) and "server" not in str(event):
            calls[index] = [event["start"]["toolUse"]["name"], ""]
        elif "toolUse" in delta and index in calls:
            calls[index][1] += delta["toolUse"]["input"]
    return texts, thoughts, [(name, json.loads(text)) for name, text in calls.values()]


def test_converse_replies_are_decoded(recorded, record_property):
    """Text, reasoning, tool calls and usage equal those in the bytes, also for chunks of seven bytes."""
    answered = [one for one in recorded if one.status == 200]
    for one in answered:
        reply, deltas = one.decoded()
        texts, thoughts, calls = plain_blocks(one)
        assert texts == reply.text, one.name
        assert thoughts == "".join(part.text for part in reply.parts if type(part).__name__ == "ThinkingPart"), one.name
        assert calls == [(call.name, call.arguments) for call in reply.tool_calls], one.name
        assert reply.stop_reason is not None, one.name
        reading = read_exchange("POST", one.url, one.request, one.status, one.headers, one.reply)
        assert reading.usage == reply.usage, one.name
        expected = one.expected["usage"]
        assert (expected["input"], expected["output"]) == (reply.usage.input_tokens, reply.usage.output_tokens), (
            one.name
        )
        if one.is_framed:
            assert texts == "".join(delta.text for delta in deltas), one.name
            assert reply == one.decoded(size=7)[0], one.name
    record_property("counted converse replies decoded", f"{len(answered)} of {len(answered)}")
    assert sum(one.is_framed for one in answered) >= 6


def test_encoded_converse_messages_decode_to_the_same(recorded):
    """Requests, whole replies and streams survive encoding and decoding."""
    for one in recorded:
        request = DIALECT.decode_request(json.loads(one.request))
        assert request == DIALECT.decode_request(DIALECT.encode_request(request)), one.name
        if one.status == 200:
            reply, _ = one.decoded()
            assert reply == DIALECT.decode_reply(DIALECT.encode_reply(reply)), one.name
            decoder = DIALECT.stream_decoder()
            for frame in DIALECT.encode_stream(reply):
                decoder.feed(frame)
            assert reply == decoder.reply(), one.name


def test_converse_errors_have_kind_and_message(recorded):
    """The message is the provider's own."""
    failed = [one for one in recorded if one.status != 200]
    facts = [DIALECT.decode_error(one.status, one.headers, one.reply) for one in failed]

    assert {
        ("auth", "The security token included in the request is expired"),
        ("not_found", "The provided model identifier is invalid."),
    } <= {(one.kind, one.message) for one in facts}
    assert all(json.loads(one.reply)["message"] == fact.message for one, fact in zip(failed, facts, strict=True))


@pytest.fixture(scope="module")
def cohere_exchanges(traffic):
    return exchanges(traffic, "cohere.v2.chat")


def test_cohere_replies_are_decoded(cohere_exchanges):
    """Text, reasoning, plans and tool calls equal those in the bytes, and survive encoding."""
    for one in cohere_exchanges:
        reply, deltas = one.decoded()
        reading = read_exchange("POST", one.url, one.request, one.status, one.headers, one.reply)
        assert reading.usage == reply.usage, one.name
        assert reply.stop_reason is not None, one.name
        if one.expected["streaming"]:
            assert reply == one.decoded(size=7)[0], one.name
            assert plain_events(one) == (
                "".join(delta.text + delta.thinking for delta in deltas),
                len(reply.tool_calls),
            )
        else:
            message = json.loads(one.reply)["message"]
            assert plain_message(message) == [(type(part).__name__, vars_of(part)) for part in reply.parts], one.name
        assert reply == one.dialect.decode_reply(one.dialect.encode_reply(reply)), one.name
        request = one.dialect.decode_request(json.loads(one.request))
        assert request == one.dialect.decode_request(one.dialect.encode_request(request)), one.name
    assert {True, False} == {one.expected["streaming"] for one in cohere_exchanges}


def plain_message(message):
    found = [("ThinkingPart", message["tool_plan"])] if message.get("tool_plan") else []
    names = {"text": "TextPart", "thinking": "ThinkingPart"}
    found += [(names[block["type"]], block[block["type"]]) for block in message.get("content") or ()]
    return found + [("ToolCall", json.loads(one["function"]["arguments"])) for one in message.get("tool_calls") or ()]


def vars_of(part):
    return part.arguments if isinstance(part, ToolCall) else part.text


def plain_events(one):
    texts, calls = "", 0
    for line in one.reply.decode().splitlines():
        event = json.loads(line.removeprefix("data: ")) if line.startswith("data: {") else {}
        message = (event.get("delta") or {}).get("message") or {}
        if event.get("type") == "content-delta":
            texts += message["content"].get("text", "") + message["content"].get("thinking", "")
        if event.get("type") == "tool-plan-delta":
            texts += message["tool_plan"]
        calls += event.get("type") == "tool-call-start"
    return texts, calls

"""Every recorded exchange with Gemini and Vertex, decoded and encoded by the dialect."""

import json

import pytest

from llm_gateway.cassettes.playback import Playback
from llm_gateway.types import ToolCall
from llm_gateway.wire.framing.reply import objects
from llm_gateway.wire.gemini import DIALECT
from llm_gateway.wire.reading import read_exchange


@pytest.fixture(scope="session")
def exchanges(traffic):
    """Return the name of the file and the exchange of each recorded call."""
    rows = [(row, one) for row in traffic.manifest for one in row["expected"] if one["api"] == "gemini.generate"]
    return [
        (row["file"].rpartition("/")[2], Playback(traffic.data / row["file"]).exchange(one["index"]))
        for row, one in rows
    ]


def is_good(exchange):
    return 200 <= exchange.reply.status < 300


def is_stream(exchange):
    return "streamGenerateContent" in exchange.request.url


def streamed(body, size):
    decoder = DIALECT.stream_decoder()
    deltas = [delta for at in range(0, len(body), size) for delta in decoder.feed(body[at : at + size])]
    return decoder, deltas


def texts_and_calls(reply):
    """Return the text and the tool calls of a reply, read without the dialect."""
    bodies = objects(reply.headers, reply.body)
    parts = [part for body in bodies for one in body.get("candidates", ()) for part in one["content"]["parts"]]
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    text = "".join(part["text"] for part in parts if "text" in part and not part.get("thought"))
    return text, [(call["name"], call["args"]) for call in calls]


def test_every_reply_is_decoded(exchanges, record_property):
    """Text, tool calls, model and usage are right; a stream gives the same in chunks of any size."""
    count = 0
    for name, exchange in [one for one in exchanges if is_good(one[1])]:
        request, reply = exchange.request, exchange.reply
        reading = read_exchange(request.method, request.url, request.body, reply.status, reply.headers, reply.body)
        if is_stream(exchange):
            decoder, deltas = streamed(reply.body, 7)
            read = decoder.reply()
            assert decoder.is_finished, name
            assert (read, deltas) == ((whole := streamed(reply.body, len(reply.body)))[0].reply(), whole[1]), name
            assert read.text == "".join(delta.text for delta in deltas), name
        else:
            read = DIALECT.decode_reply(json.loads(reply.body))
        assert texts_and_calls(reply) == (read.text, [(call.name, call.arguments) for call in read.tool_calls]), name
        assert (reading.usage, reading.model_served) == (read.usage, read.model), name
        assert ("tool_use" if read.tool_calls else "end_turn") == read.stop_reason, name
        count += 1
    record_property("counted gemini answers decoded", f"{count} of {count}")
    assert count


def test_every_encoded_reply_decodes_to_the_same(exchanges):
    """A reply survives encoding and decoding, whole and as a stream."""
    for name, exchange in exchanges:
        if is_good(exchange) and not is_stream(exchange):
            read = DIALECT.decode_reply(json.loads(exchange.reply.body))
            assert read == DIALECT.decode_reply(DIALECT.encode_reply(read)), name
            assert read == streamed(b"".join(DIALECT.encode_stream(read)), 7)[0].reply(), name


def test_every_error_has_a_kind(exchanges):
    """Its message is in the provider's reply."""
    found = set()
    for _, exchange in [one for one in exchanges if not is_good(one[1])]:
        facts = DIALECT.decode_error(exchange.reply.status, exchange.reply.headers, exchange.reply.body)
        found.add((exchange.reply.status, facts.kind, facts.type))
        assert facts.message in exchange.reply.body.decode()
    assert {(404, "not_found", "NOT_FOUND"), (400, "invalid_request", "INVALID_ARGUMENT")} == found


def test_every_encoded_request_decodes_to_the_same(exchanges, record_property):
    """In either spelling of fields, signatures stay on their parts and results on their calls."""
    signatures = 0
    for name, exchange in exchanges:
        decoded = DIALECT.decode_request(json.loads(exchange.request.body))
        written = json.dumps(DIALECT.encode_request(decoded))
        assert decoded == DIALECT.decode_request(json.loads(written)), name
        calls = {part.id for message in decoded.messages for part in message.parts if isinstance(part, ToolCall)}
        results = [part for message in decoded.messages if message.role == "tool" for part in message.parts]
        assert calls == {result.tool_call_id for result in results}, name
        raw = exchange.request.body
        signed = raw.count(b'"thoughtSignature"') + raw.count(b'"thought_signature"')
        assert signed == written.count('"thoughtSignature"'), name
        signatures += signed
    record_property("counted gemini requests read back", f"{len(exchanges)} of {len(exchanges)}")
    assert signatures

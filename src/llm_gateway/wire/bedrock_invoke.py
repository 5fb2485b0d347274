"""
Bedrock's invoke with the models of Anthropic: the Messages API, streamed in frames of AWS.

The model and streaming are part of the URL. Models of other makers have formats of their own.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator

from llm_gateway.types import ChatReply, ChatRequest, Headers, JsonObject, StreamDelta, WireReply
from llm_gateway.wire.anthropic import AnthropicMessages, MessagesStream
from llm_gateway.wire.base import ErrorFacts
from llm_gateway.wire.framing import eventstream, sse
from llm_gateway.wire.parts import bedrock_errors

__all__ = ["DIALECT"]

_VERSION = {"anthropic_version": "bedrock-2023-05-31"}
_HEADERS = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}


class BedrockInvoke(AnthropicMessages):
    """The dialect; see `llm_gateway.wire.base.Dialect`."""

    name = "bedrock.invoke"

    def encode_request(self, request: ChatRequest) -> JsonObject:
        """Write the request body, which contains neither model nor stream."""
        body = super().encode_request(request)
        return _VERSION | {name: value for name, value in body.items() if name not in ("model", "stream")}

    def decode_request(self, body: JsonObject) -> ChatRequest:
        """
        Read a request body that any client wrote; its model is empty, and it never streams.

        Raises:
            LookupError: It is for a model of another maker.
        """
        named = dict(body)
        del named["anthropic_version"]
        return super().decode_request(named)

    def encode_stream(self, reply: ChatReply, *, chunks: Iterable[str] | None = None) -> Iterator[bytes]:
        """Yield the frames of the streamed reply; the last one holds the metrics of Bedrock."""
        parser = sse.SseParser()
        for event in (one for written in super().encode_stream(reply, chunks=chunks) for one in parser.feed(written)):
            yield _frame(event.data if event.event != "message_stop" else _measured(event.data, reply))

    def stream_decoder(self) -> InvokeStream:
        """Start reading one streamed reply."""
        return InvokeStream()

    def decode_error(self, status: int, headers: Headers, body: bytes) -> ErrorFacts:
        """Read an error reply."""
        return bedrock_errors.error_facts(status, headers, body)

    def encode_error(self, status: int, facts: ErrorFacts) -> WireReply:
        """Write an error reply."""
        return bedrock_errors.error_reply(status, facts)


DIALECT = BedrockInvoke()


def _measured(data: str, reply: ChatReply) -> str:
    counts = (reply.usage.input_tokens, reply.usage.output_tokens) if reply.usage else (None, None)
    metrics = {
        "inputTokenCount": counts[0],
        "outputTokenCount": counts[1],
        "invocationLatency": 1,
        "firstByteLatency": 1,
    }
    return json.dumps({**json.loads(data), "amazon-bedrock-invocationMetrics": metrics})


def _frame(data: str) -> bytes:
    payload = {"bytes": base64.b64encode(data.encode()).decode(), "p": "abcdefgh"}
    return eventstream.encode(_HEADERS, json.dumps(payload).encode())


class InvokeStream(MessagesStream):
    """Decoder of one streamed message; see `llm_gateway.wire.base.StreamDecoder`."""

    _API = "bedrock.invoke"

    def __init__(self) -> None:
        super().__init__()
        self._frames = eventstream.FrameParser()

    def feed(self, data: bytes) -> list[StreamDelta]:
        """Take the next bytes and return what they complete."""
        deltas = [self._open(frame) for frame in self._frames.feed(data)]
        return [delta for delta in deltas if delta is not None]

    def _open(self, frame: eventstream.EventFrame) -> StreamDelta | None:
        if frame.texts.get(":message-type") != "event":
            self.error = bedrock_errors.error_facts_in_stream(frame.texts, frame.payload)
            return None
        return self._take(json.loads(base64.b64decode(json.loads(frame.payload)["bytes"])))

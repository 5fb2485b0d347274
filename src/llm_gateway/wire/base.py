"""Protocol of a dialect: encode and decode requests, replies, streams and errors of one wire format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from llm_gateway.exceptions import ErrorKind
from llm_gateway.types import ChatReply, ChatRequest, JsonObject, StreamDelta, WireReply

__all__ = ["Dialect", "ErrorFacts", "ProcessDialect", "StreamDecoder"]


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """An error reply: its kind, the provider's own type and message, and the requested wait in seconds."""

    kind: ErrorKind
    message: str
    type: str | None = None
    retry_after_s: float | None = None


class StreamDecoder(Protocol):
    """
    Decoder of one streamed reply, fed in chunks of any size; a chunk may end inside a UTF-8 sequence.

    Attributes:
        is_finished: True once the format's own end was received (``message_stop``, ``[DONE]``, ``response.completed``).

        error: The error that the stream contained, or None.
    """

    is_finished: bool
    error: ErrorFacts | None

    def feed(self, data: bytes) -> list[StreamDelta]:
        """Take the next bytes and return what they complete."""
        ...

    def reply(self) -> ChatReply:
        """Return everything received so far as one reply, with the usage so far."""
        ...


class Dialect(Protocol):
    """
    One wire format, both directions.

    *encode_stream* yields the reply as a provider would stream it, one item per event; *chunks* is the reply's text,
    one item for each event, by default all of it in one. ``decode(encode(x)) == x`` holds for what the format can
    express.
    """

    @property
    def name(self) -> str:
        """Return the API's name, as in ``openai.chat``."""
        ...

    def encode_request(self, request: ChatRequest) -> JsonObject:
        """Write the request body."""
        ...

    def decode_request(self, body: JsonObject) -> ChatRequest:
        """Read a request body that any client wrote."""
        ...

    def encode_reply(self, reply: ChatReply) -> JsonObject:
        """Write the reply body of a call that did not stream."""
        ...

    def decode_reply(self, body: JsonObject) -> ChatReply:
        """Read the reply body of a call that did not stream."""
        ...

    def encode_stream(self, reply: ChatReply, *, chunks: Iterable[str] | None = None) -> Iterator[bytes]:
        """Yield the events of the streamed reply."""
        ...

    def stream_decoder(self) -> StreamDecoder:
        """Start reading one streamed reply."""
        ...

    def decode_error(self, status: int, headers: tuple[tuple[str, str], ...], body: bytes) -> ErrorFacts:
        """Read an error reply; the body may be anything, also empty or HTML."""
        ...

    def encode_error(self, status: int, facts: ErrorFacts) -> WireReply:
        """Write the error reply of *status* as the provider does; without a type in *facts* their kind sets it."""
        ...


class ProcessDialect(Protocol):
    """Format of a command: arguments, input and environment as the request, its output as the reply."""

    name: str

    def encode_request(self, request: ChatRequest) -> tuple[tuple[str, ...], bytes, dict[str, str]]:
        """Write arguments, input and added environment."""
        ...

    def decode_request(self, argv: tuple[str, ...], stdin: bytes) -> ChatRequest:
        """Read the request of any caller."""
        ...

    def encode_reply(self, reply: ChatReply) -> bytes:
        """Write what the command prints."""
        ...

    def decode_reply(self, stdout: bytes) -> ChatReply:
        """Read what the command printed."""
        ...

    def encode_stream(self, reply: ChatReply, *, chunks: Iterable[str] | None = None) -> Iterator[bytes]:
        """Yield the output of the command, one item per line."""
        ...

    def stream_decoder(self) -> StreamDecoder:
        """Start reading what the command prints."""
        ...

    def decode_error(self, exit_code: int, stdout: bytes, stderr: bytes) -> ErrorFacts | None:
        """Return the error of a finished run; None when it succeeded."""
        ...

"""What a dialect is: encode and decode of requests, replies, streams and errors of one wire format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from llm_gateway.exceptions import ErrorKind
from llm_gateway.types import ChatReply, ChatRequest, JsonObject, StreamDelta, TokenUsage, WireReply

__all__ = ["Dialect", "ErrorFacts", "ProcessDialect", "Reading", "StreamDecoder"]


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """What an error body says: its sort, the provider's own type and words, and the wait that it asks for."""

    kind: ErrorKind
    message: str
    type: str | None = None
    retry_after_s: float | None = None


class StreamDecoder(Protocol):
    """
    Decode one streamed reply, fed in chunks of any size: single bytes and cuts inside a UTF-8 sequence included.

    Attributes:
        is_finished: Whether the format's own end was seen (``message_stop``, ``[DONE]``, ``response.completed``).

        error: The error that the stream carried inside itself, or None.
    """

    is_finished: bool
    error: ErrorFacts | None

    def feed(self, data: bytes) -> list[StreamDelta]:
        """Take the next bytes and return what they complete."""
        ...

    def reply(self) -> ChatReply:
        """Everything seen so far as one reply, with the usage so far."""
        ...


class Dialect(Protocol):
    """
    One wire format, both directions.

    *encode_stream* writes the reply as a provider would stream it, one item per event; *chunks* says how to cut the
    text, by default in one chunk. ``decode(encode(x)) == x`` holds for what the format can express.
    """

    @property
    def name(self) -> str:
        """The API's name, as in ``openai.chat``."""
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
        """Write the reply as a stream, one item per event."""
        ...

    def stream_decoder(self) -> StreamDecoder:
        """Start reading one streamed reply."""
        ...

    def decode_error(self, status: int, headers: tuple[tuple[str, str], ...], body: bytes) -> ErrorFacts:
        """Read an error reply; the body may be anything, also empty or HTML."""
        ...

    def encode_error(self, status: int, facts: ErrorFacts) -> WireReply:
        """Write the error reply of *status* as the provider does; a type that *facts* leave out follows their sort."""
        ...


class ProcessDialect(Protocol):
    """A format that a command speaks: arguments, input and environment go in, what it prints comes out."""

    name: str

    def encode_request(self, request: ChatRequest) -> tuple[tuple[str, ...], bytes, dict[str, str]]:
        """Write arguments, input and added environment."""
        ...

    def decode_request(self, argv: tuple[str, ...], stdin: bytes) -> ChatRequest:
        """Read what any caller asked."""
        ...

    def encode_reply(self, reply: ChatReply) -> bytes:
        """Write what the command prints."""
        ...

    def decode_reply(self, stdout: bytes) -> ChatReply:
        """Read what the command printed."""
        ...

    def encode_stream(self, reply: ChatReply, *, chunks: Iterable[str] | None = None) -> Iterator[bytes]:
        """Write what the command prints bit by bit."""
        ...

    def stream_decoder(self) -> StreamDecoder:
        """Start reading what the command prints."""
        ...

    def decode_error(self, exit_code: int, stdout: bytes, stderr: bytes) -> ErrorFacts | None:
        """What went wrong with a finished run; None when it answered."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """
    What an exchange says of itself, whoever recorded it. ``None`` means not reported or not known.

    *provider* is a name as in ``anthropic``, ``openai``, ``groq``; *api* as in ``anthropic.messages``, ``openai.chat``.
    """

    provider: str | None = None
    api: str | None = None
    model_requested: str | None = None
    model_served: str | None = None
    usage: TokenUsage | None = None
    is_streaming: bool = False
    stated_cost_usd: Decimal | None = None

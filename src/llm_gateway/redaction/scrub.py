"""Exchanges without secrets: headers, URLs, bodies, and arguments and output of commands."""

from __future__ import annotations

import base64
import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import overload

from llm_gateway.exchange import Chunk, Exchange, Frame, HttpExchange, ProcessExchange
from llm_gateway.redaction.edit import ChunkedBytes, Edit, Rule
from llm_gateway.redaction.secret_patterns import pattern_edits
from llm_gateway.redaction.secret_values import SecretValues
from llm_gateway.redaction.url import clean_query, clean_url
from llm_gateway.redaction.verify import Finding, find_secrets
from llm_gateway.types import Headers, WireReply, WireRequest
from llm_gateway.wire.content_encoding import decoded
from llm_gateway.wire.framing.eventstream import frames as frames_of

__all__ = ["REQUEST_HEADERS", "RESPONSE_HEADERS", "Finding", "Scrubber", "find_secrets"]

REQUEST_HEADERS = frozenset(
    "content-type content-encoding accept range anthropic-version anthropic-beta openai-beta x-amz-target "
    "x-amzn-bedrock-* x-goog-upload-command x-goog-upload-offset x-goog-upload-protocol".split()
)
"""Request headers that are kept (lower-case; a star matches any suffix). All others are dropped."""

RESPONSE_HEADERS = frozenset(
    "content-type content-encoding content-length content-range content-disposition transfer-encoding retry-after "
    "retry-after-ms x-should-retry request-id x-request-id apim-request-id x-ms-request-id location operation-location "
    "link date x-amzn-bedrock-* x-amzn-errortype x-amzn-requestid anthropic-ratelimit-* x-ratelimit-* ratelimit-* "
    "openai-processing-ms openai-version openai-model x-prompt-tokens x-generated-tokens x-litellm-response-cost "
    "x-goog-upload-url x-goog-upload-status x-goog-upload-chunk-granularity x-goog-upload-control-url".split()
)
"""Response headers that are kept: for replay and usage, and to identify the provider."""

_URL_HEADERS = frozenset({"location", "operation-location", "x-goog-upload-url", "x-goog-upload-control-url"})
_FORM = "application/x-www-form-urlencoded"
_EVENT_STREAM = "application/vnd.amazon.eventstream"
_INNER = re.compile(rb'(?<="bytes":")[A-Za-z0-9+/]+={0,2}(?=")')


class Scrubber:
    """
    Remover of secrets from exchanges before they are written. The given exchange is not changed.

    Args:
        env: Environment variables; values of those with a secret-looking name are replaced by ``[NAME]``.

        extra: Called with each exchange first; what it returns is scrubbed like any other.
    """

    def __init__(self, env: Mapping[str, str], extra: Callable[[Exchange], Exchange] | None = None) -> None:
        self._rules: tuple[Rule, ...] = (SecretValues(env).edits, pattern_edits)
        self._extra = extra

    @overload
    def scrub(self, exchange: HttpExchange) -> HttpExchange: ...

    @overload
    def scrub(self, exchange: ProcessExchange) -> ProcessExchange: ...

    def scrub(self, exchange: Exchange) -> Exchange:
        """Return a copy of *exchange* without secrets; a second call changes nothing more."""
        own: Exchange = dataclasses.replace(exchange)
        if self._extra is not None:
            own = self._extra(own)
        return self._http(own) if isinstance(own, HttpExchange) else self._process(own)

    def scrub_bytes(self, data: bytes) -> bytes:
        """Return *data* without secrets; live data is compared with recordings in this form."""
        return ChunkedBytes(data).edited(self._rules).data

    def text(self, text: str) -> str:
        """Return *text* without secrets."""
        return self.scrub_bytes(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def scrub_request(self, request: WireRequest) -> WireRequest:
        """Return *request* as it is recorded; a live request is compared with recorded ones in this form."""
        body = request.body
        if _content_type(request.headers).startswith(_FORM):
            body = clean_query(body.decode("latin-1")).encode("latin-1")
        url = clean_url(request.url, self.scrub_bytes)
        return WireRequest(request.method, url, self._headers(request.headers, REQUEST_HEADERS), self.scrub_bytes(body))

    def _headers(self, headers: Headers, allowed: frozenset[str]) -> Headers:
        kept = ((name, value) for name, value in headers if _is_allowed(name.lower(), allowed))
        return tuple((name, self._header(name.lower(), value)) for name, value in kept)

    def _header(self, name: str, value: str) -> str:
        return clean_url(value, self.scrub_bytes) if name in _URL_HEADERS else self.text(value)

    def _http(self, exchange: HttpExchange) -> HttpExchange:
        text = exchange.failure_text
        reply, chunks = self._reply(exchange.reply, exchange.chunks) if exchange.reply else (None, exchange.chunks)
        return dataclasses.replace(
            exchange,
            request=self.scrub_request(exchange.request),
            reply=reply,
            chunks=chunks,
            failure_text=None if text is None else self.text(text),
        )

    def _reply(self, reply: WireReply, chunks: tuple[Chunk, ...]) -> tuple[WireReply, tuple[Chunk, ...]]:
        headers, body = self._headers(reply.headers, RESPONSE_HEADERS), reply.body
        plain = decoded(body, reply.header("content-encoding") or "")
        if plain is not None and self._edited(reply, plain, ()).data != plain:
            headers, body, chunks = _without(headers, "content-encoding"), plain, ()
        lengths = tuple(chunk.length for chunk in chunks)
        if sum(lengths) != len(body):  # `extra` may have changed the body; its chunk boundaries are unknown then
            lengths, chunks = (), ()
        clean = self._edited(reply, body, lengths)
        if clean.data != reply.body:
            headers = _with_length(headers, len(clean.data))
        pairs = zip(chunks, clean.lengths, strict=True)
        kept = tuple(Chunk(length, chunk.at_s) for chunk, length in pairs if length)
        return WireReply(reply.status, headers, clean.data), kept

    def _edited(self, reply: WireReply, body: bytes, lengths: tuple[int, ...]) -> ChunkedBytes:
        if _content_type(reply.headers).startswith(_EVENT_STREAM):
            return ChunkedBytes(body, lengths).edited([self._frames])
        return ChunkedBytes(body, lengths).edited(self._rules)

    def _frames(self, data: bytes) -> Iterable[Edit]:
        return _frame_edits(data, self.scrub_bytes)

    def _process(self, exchange: ProcessExchange) -> ProcessExchange:
        argv = tuple(self.text(argument) for argument in exchange.argv)
        return dataclasses.replace(exchange, argv=argv, frames=self._frames_of(exchange.frames))

    def _frames_of(self, frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
        """Return the frames, scrubbed channel by channel, as a secret may be spread over several frames."""
        parts = {channel: iter(self._channel(frames, channel)) for channel in dict.fromkeys(f.channel for f in frames)}
        clean = (dataclasses.replace(frame, data=next(parts[frame.channel])) for frame in frames)
        return tuple(new for new, old in zip(clean, frames, strict=True) if new.data or not old.data)

    def _channel(self, frames: tuple[Frame, ...], channel: str) -> list[bytes]:
        parts = [frame.data for frame in frames if frame.channel == channel]
        return ChunkedBytes(b"".join(parts), tuple(map(len, parts))).edited(self._rules).split()


def _is_allowed(name: str, allowed: frozenset[str]) -> bool:
    if name in allowed:
        return True
    return any(name.startswith(entry[:-1]) for entry in allowed if entry.endswith("*"))


def _content_type(headers: Headers) -> str:
    return next((value.lower() for name, value in headers if name.lower() == "content-type"), "")


def _without(headers: Headers, dropped: str) -> Headers:
    return tuple(pair for pair in headers if pair[0].lower() != dropped)


def _with_length(headers: Headers, length: int) -> Headers:
    return tuple((name, str(length) if name.lower() == "content-length" else value) for name, value in headers)


def _frame_edits(data: bytes, clean: Callable[[bytes], bytes]) -> Iterator[Edit]:
    """Yield an edit for each frame whose payload *clean* changes, up to the first that is incomplete or invalid."""
    for frame in frames_of(data):
        changed = _INNER.sub(lambda match: _inner(match[0], clean), clean(frame.payload))
        if changed != frame.payload:
            yield Edit(frame.start, frame.end, frame.with_payload(changed))


def _inner(encoded: bytes, clean: Callable[[bytes], bytes]) -> bytes:
    """Return the model's own event inside an event of Bedrock, cleaned."""
    try:
        plain = base64.b64decode(encoded)
    except ValueError:
        return encoded
    changed = clean(plain)
    return encoded if changed == plain else base64.b64encode(changed)

"""Take secrets out of exchanges before they are written: headers, queries, bodies, arguments and frames."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

from llm_gateway.cassettes.exchange import Chunk, Exchange, Frame, HttpExchange, ProcessExchange
from llm_gateway.cassettes.match import SECRET_QUERY
from llm_gateway.cassettes.secrets import environment_values, find_secrets, token_shapes
from llm_gateway.types import Headers, WireReply, WireRequest

__all__ = ["REPLY_HEADERS", "REQUEST_HEADERS", "Scrubber", "find_secrets"]

REQUEST_HEADERS = frozenset(
    [
        "accept",
        "content-type",
        "content-encoding",
        "anthropic-version",
        "anthropic-beta",
        "openai-beta",
        "user-agent",
        "x-amzn-bedrock-accept",
        "x-amz-target",
    ]
)
"""Request headers that are kept; all others may carry credentials."""
REPLY_HEADERS = frozenset(
    [
        "content-type",
        "content-encoding",
        "content-length",
        "transfer-encoding",
        "date",
        "location",
        "link",
        "retry-after",
        "retry-after-ms",
        "x-should-retry",
        "request-id",
        "x-request-id",
        "openai-model",
        "openai-processing-ms",
        "openai-version",
        "x-amzn-errortype",
        "x-amzn-requestid",
        "x-amzn-bedrock-input-token-count",
        "x-amzn-bedrock-output-token-count",
        "x-amzn-bedrock-cache-read-input-token-count",
        "x-amzn-bedrock-cache-write-input-token-count",
        "x-amzn-bedrock-invocation-latency",
    ]
)
"""Reply headers that are kept, besides rate limits; cookies and organisation ids are not."""
_RATE_LIMIT = re.compile(r"(anthropic|x)-ratelimit-")
_QUERY = re.compile(r"(?P<lead>[?&](?P<name>[^=&#]+)=)(?P<value>[^&#]*)")


class Scrubber:
    """
    Replace what is secret.

    Args:
        environ: The values of its variables with secret-looking names become ``[NAME]``, in whatever encoding.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._values = environment_values(environ)
        names = "|".join(re.escape(value) for value in self._values)
        self._value = re.compile(names) if names else None

    def scrub(self, exchange: Exchange) -> Exchange:
        """A copy of *exchange* without secrets; the cuts of a stream move with its text."""
        if isinstance(exchange, ProcessExchange):
            return self._process(exchange)
        return self._http(exchange)

    def text(self, text: str) -> str:
        """*text* without secrets."""
        if self._value is not None:
            text = self._value.sub(lambda found: self._values[found[0]], text)
        return token_shapes(text)

    def _bytes(self, data: bytes) -> bytes:
        # latin-1 keeps every byte where it is; known tokens and most secrets are ASCII.
        clean = self.text(data.decode("latin-1"))
        return clean.encode("latin-1")

    def _http(self, exchange: HttpExchange) -> HttpExchange:
        request = exchange.request
        kept = tuple(pair for pair in request.headers if pair[0].lower() in REQUEST_HEADERS)
        clean = WireRequest(request.method, self._url(request.url), self._headers(kept), self._bytes(request.body))
        reply, chunks = exchange.reply, exchange.chunks
        if reply is not None:
            body = self._bytes(reply.body)
            chunks = self._moved(exchange, body)
            reply = WireReply(reply.status, self._headers(_kept_of_reply(reply.headers)), body)
        text = exchange.failure_text and self.text(exchange.failure_text)
        return dataclasses.replace(exchange, request=clean, reply=reply, chunks=chunks, failure_text=text)

    def _headers(self, headers: Headers) -> Headers:
        return tuple((name, self.text(value)) for name, value in headers)

    def _url(self, url: str) -> str:
        def hide(found: re.Match[str]) -> str:
            return found["lead"] + ("SECRET" if found["name"].lower() in SECRET_QUERY else found["value"])

        return self.text(_QUERY.sub(hide, url))

    def _moved(self, exchange: HttpExchange, body: bytes) -> tuple[Chunk, ...]:
        """The cuts of a scrubbed body: as they were up to what changed, and the same count of bytes from its end."""
        assert exchange.reply is not None
        old, gained = exchange.reply.body, len(body) - len(exchange.reply.body)
        if old == body or not exchange.chunks:
            return exchange.chunks
        same = next((i for i, (a, b) in enumerate(zip(old, body, strict=False)) if a != b), min(len(old), len(body)))
        moved: list[Chunk] = []
        position = end = 0
        for chunk in exchange.chunks:
            position += chunk.length
            to = position if position <= same else min(max(position + gained, end, same), len(body))
            moved.append(Chunk(to - end, chunk.at_s))
            end = to
        return tuple(chunk for chunk in moved if chunk.length)

    def _process(self, exchange: ProcessExchange) -> ProcessExchange:
        frames = tuple(Frame(frame.channel, self._bytes(frame.data), frame.at_s) for frame in exchange.frames)
        return dataclasses.replace(exchange, argv=tuple(self.text(item) for item in exchange.argv), frames=frames)


def _kept_of_reply(headers: Headers) -> Headers:
    return tuple(pair for pair in headers if pair[0].lower() in REPLY_HEADERS or _RATE_LIMIT.match(pair[0].lower()))

"""One live exchange being recorded: what arrives, when, and how it ended."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable

from llm_gateway.cassettes import clock
from llm_gateway.exchange import Chunk, End, HttpExchange
from llm_gateway.record import RecordHolder
from llm_gateway.types import Headers, WireReply, WireRequest
from llm_gateway.wire.content_encoding import decoded

__all__ = ["Recording"]

_STREAM_ENDS = re.compile(
    rb"data: ?\[DONE\]|event: ?(?:message_stop|response\.(?:completed|incomplete|failed))\b|\"done\": ?true"
    rb"|\"(?:finishReason|blockReason)\":\s*(?:[1-9]|\"(?!FINISH_REASON_UNSPECIFIED))"  # Gemini has no event of its own
)


class Recording:
    """
    A request that is really sent, as its hook reports it. Every method may be called from any thread.

    Args:
        request: As it goes out.

        done: Called once, with the finished exchange.

    Attributes:
        holder: Gets the record of the call when it has ended.
    """

    def __init__(self, request: WireRequest, done: Callable[[HttpExchange], None]) -> None:
        self._request = request
        self._done = done
        self._started_at = clock.now()
        self._start = clock.monotonic()
        self._status: int | None = None
        self._reason = ""
        self._headers: Headers = ()
        self._parts: list[tuple[bytes, float]] = []
        self._is_over = False
        self.holder = RecordHolder()

    def head(self, status: int, reason: str, headers: Iterable[tuple[str, str]]) -> None:
        """Note the status line and headers."""
        self._status, self._reason, self._headers = status, reason, tuple(headers)

    def chunk(self, data: bytes) -> None:
        """Add a chunk of the body, still content-encoded."""
        if data and not self._is_over:
            self._parts.append((bytes(data), clock.monotonic() - self._start))

    def finish(self, end: End = "complete") -> None:
        """End the reply; ``partial`` when the caller stopped reading early. Later calls do nothing."""
        self._close(end, None, None)

    def fail(self, kind: str, text: str) -> None:
        """End with a transport failure: ``connect``, ``connect_timeout``, ``read_timeout``, ``read``, ``protocol``."""
        self._close("error", kind, text)

    def _close(self, end: End, failure: str | None, text: str | None) -> None:
        if self._is_over:
            return
        self._is_over = True
        if end == "partial" and self._reached_its_end():
            end = "complete"
        headers, body, chunks = _plain(self._headers, self._parts)
        self._parts = []
        reply = None if self._status is None else WireReply(self._status, headers, body)
        if reply is None and failure is None:
            failure, text, end = "read_timeout", "the caller gave up before the reply began", "error"
        self._done(
            HttpExchange(
                request=self._request,
                reply=reply,
                reason=self._reason,
                chunks=chunks,
                end=end,
                failure=failure,
                failure_text=text,
                recorded_at=self._started_at,
                duration_s=round(clock.monotonic() - self._start, 4),
            )
        )

    def _reached_its_end(self) -> bool:
        """Return whether the stream's own end arrived: clients stop reading there, before the connection is closed."""
        tail = b"".join(data for data, _ in self._parts[-4:])
        return _STREAM_ENDS.search(tail) is not None


def _plain(headers: Headers, parts: list[tuple[bytes, float]]) -> tuple[Headers, bytes, tuple[Chunk, ...]]:
    """Take the content encoding off, so that the file is readable and searchable for secrets; keep the boundaries."""
    encoding = next((value for name, value in headers if name.lower() == "content-encoding"), "").lower()
    if encoding not in ("", "identity"):
        plain = _unpacked(parts, encoding)
        if plain is None:
            return headers, b"".join(data for data, _ in parts), _boundaries(parts)
        parts = plain
        headers = tuple(pair for pair in headers if pair[0].lower() not in ("content-encoding", "content-length"))
    return headers, b"".join(data for data, _ in parts), _boundaries(parts)


def _unpacked(parts: list[tuple[bytes, float]], encoding: str) -> list[tuple[bytes, float]] | None:
    if encoding in ("gzip", "x-gzip"):
        return _gunzipped(parts)
    whole = decoded(b"".join(data for data, _ in parts), encoding)
    return None if whole is None else [(whole, parts[-1][1] if parts else 0.0)]


def _gunzipped(parts: list[tuple[bytes, float]]) -> list[tuple[bytes, float]] | None:
    """Return the parts of a body of one or more gzip streams, decompressed."""
    stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
    found: list[tuple[bytes, float]] = []
    try:
        for data, at_s in parts:
            plain = stream.decompress(data)
            while stream.unused_data:
                rest, stream = stream.unused_data, zlib.decompressobj(16 + zlib.MAX_WBITS)
                plain += stream.decompress(rest)
            if plain:
                found.append((plain, at_s))
    except zlib.error:
        return None
    return found


def _boundaries(parts: list[tuple[bytes, float]]) -> tuple[Chunk, ...]:
    return tuple(Chunk(len(data), round(at_s, 4)) for data, at_s in parts) if len(parts) > 1 else ()

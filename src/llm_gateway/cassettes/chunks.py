"""
Chunk boundaries of a stream: at its events, or anywhere that a parser may not expect. Pure.

The chunks joined are the stream as it was recorded; ``crlf`` alone rewrites line ends, which server-sent events allow.
"""

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from llm_gateway.exchange import Chunk, HttpExchange
from llm_gateway.types import Headers, WireReply
from llm_gateway.wire.content_encoding import plain
from llm_gateway.wire.framing.eventstream import EventFrame, frames
from llm_gateway.wire.framing.reply import is_stream

__all__ = ["STRATEGIES", "events", "recut", "split"]

_END = re.compile(rb"\r\n|\n|\r")
_EVENT = re.compile(rb".+?(?:\r\n\r\n|\n\n|\r\r|\Z)", re.DOTALL)
_LINE = re.compile(rb".+?(?:\n|\Z)", re.DOTALL)
_ARGUMENTS = re.compile(
    rb'"(?:partial_json|arguments|input|args)"\s*:\s*(?:"((?:[^"\\]|\\.)*)"|(\{[^\r\n]*))', re.DOTALL
)
_STEPS = (1, 1, 1, 2, 3, 5, 8, 13, 34, 89, 233)
_FRAMING = (2, 4, 8, 12)
"""Places in the twelve bytes that begin a frame: inside its length, and between its three numbers."""


def events(body: bytes) -> list[bytes]:
    """Return a stream as one chunk for each of its events, in any framing."""
    if framed := list(frames(body)):
        return _chunks_at(body, (frame.end for frame in framed))
    is_sse = b"\n\n" in body or b"\r\n\r\n" in body or b"\r\r" in body
    return [found[0] for found in (_EVENT if is_sse else _LINE).finditer(body)]


def split(body: bytes, how: str | int) -> list[bytes]:
    """
    Cut a stream.

    Args:
        body: The whole stream.

        how: One of `STRATEGIES`, or a seed for random boundaries, the same for the same seed.
    """
    if isinstance(how, int):
        return _chunks_at(body, _at_random(len(body), how))
    if how == "crlf":
        body = body if _is_framed(body) else _END.sub(b"\r\n", body)
    return _chunks_at(body, STRATEGIES[how](body))


def recut(exchange: HttpExchange, how: str | int) -> HttpExchange:
    """Return *exchange* with its stream in chunks by the strategy *how*; unchanged where its reply is no stream."""
    reply = exchange.reply
    body = plain(reply.body, reply.header("content-encoding")) if reply else b""
    if reply is None or not (exchange.chunks or is_stream(reply.headers, body)):
        return exchange
    parts = split(body, how)
    headers = _chunked(reply.headers, is_decoded=body != reply.body)
    return dataclasses.replace(
        exchange,
        reply=WireReply(reply.status, headers, b"".join(parts)),
        chunks=tuple(Chunk(len(part), 0.0) for part in parts),
        waits=exchange.waits[:1] or (0.0,),  # so that no hook joins what was cut
    )


def _chunked(headers: Headers, *, is_decoded: bool) -> Headers:
    dropped = {"content-length", "transfer-encoding", *(["content-encoding"] if is_decoded else [])}
    return (*(pair for pair in headers if pair[0].lower() not in dropped), ("transfer-encoding", "chunked"))


def _chunks_at(body: bytes, boundaries: Iterable[int]) -> list[bytes]:
    places = sorted({0, len(body), *(place for place in boundaries if 0 < place < len(body))})
    return [body[start:end] for start, end in pairwise(places)]


def _at_random(length: int, seed: int) -> Iterator[int]:
    draw = random.Random(seed)  # noqa: S311  nothing secret depends on it
    position = 0
    while position < length:
        position += draw.choice(_STEPS)
        yield position


def _is_framed(body: bytes) -> bool:
    return next(frames(body), None) is not None


def _nowhere(_body: bytes) -> Iterable[int]:
    return ()


def _everywhere(body: bytes) -> Iterable[int]:
    return range(1, len(body))


def _in_characters(body: bytes) -> Iterable[int]:
    """Return the places before each byte that continues a UTF-8 character."""
    return (place for place, byte in enumerate(body) if byte & 0xC0 == 0x80)


def _in_arguments(body: bytes) -> Iterator[int]:
    """Yield every place inside the arguments of tool calls, in the format of any API."""
    for found in _ARGUMENTS.finditer(body):
        start, end = found.span(found.lastindex or 0)
        yield from range(start, end + 1)


def _at_ends(body: bytes) -> Iterator[int]:
    """Yield the places around and inside line ends; in an AWS event stream, around and inside the framing."""
    if _is_framed(body):
        for frame in frames(body):
            yield from _in_frame(frame)
        return
    for end in _END.finditer(body):
        yield from range(end.start(), end.end() + 1)


def _in_frame(frame: EventFrame) -> Iterator[int]:
    yield from (frame.start + place for place in _FRAMING)
    payload = frame.end - 4 - len(frame.payload)
    yield from (frame.start + 12 + len(frame.headers) // 2, payload, frame.end - 4, frame.end - 2, frame.end)


def _in_line_ends(body: bytes) -> Iterator[int]:
    return (end.start() + 1 for end in re.finditer(rb"\r\n", body))


STRATEGIES: dict[str, Callable[[bytes], Iterable[int]]] = {
    "whole": _nowhere,
    "bytes": _everywhere,
    "utf8": _in_characters,
    "tools": _in_arguments,
    "ends": _at_ends,
    "crlf": _in_line_ends,
}
"""Functions that return the chunk boundaries of a body, by the name of the strategy."""

"""JSON objects of a reply in any framing: one body, an array, lines, SSE, or an AWS event stream."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from llm_gateway.types import Headers, JsonObject
from llm_gateway.wire.framing.eventstream import frames
from llm_gateway.wire.framing.sse import SseParser

__all__ = ["is_stream", "objects"]

_CHUNK = 65536


def is_stream(headers: Headers, body: bytes) -> bool:
    """Return True for a stream of events; recordings often lack headers, so the body is checked too."""
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    return "event-stream" in kind or "eventstream" in kind or _is_sse(body) or _is_framed(body) or _is_lines(body)


def objects(headers: Headers, body: bytes) -> Iterator[JsonObject]:
    """Yield each JSON object of a reply, in order; anything else is skipped."""
    if _is_framed(body):
        return _framed(body)
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    if "event-stream" in kind or _is_sse(body):
        return _sse(body)
    return _lines(body) if _is_lines(body) else _whole(body)


def _is_sse(body: bytes) -> bool:
    return body[:64].lstrip().startswith((b"data:", b"event:", b":", b"id:"))


def _is_framed(body: bytes) -> bool:
    return next(frames(body[:65536]), None) is not None or (body[:1] == b"\0" and next(frames(body), None) is not None)


def _is_lines(body: bytes) -> bool:
    first, separator, rest = body.partition(b"\n")
    return bool(separator) and first[:1] == b"{" and first.rstrip()[-1:] == b"}" and rest.lstrip()[:1] == b"{"


def _values(text: bytes | str) -> Iterator[JsonObject]:
    try:
        value: Any = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return
    yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict))


def _whole(body: bytes) -> Iterator[JsonObject]:
    yield from _values(body)


def _lines(body: bytes) -> Iterator[JsonObject]:
    for line in body.splitlines():
        yield from _values(line)


def _sse(body: bytes) -> Iterator[JsonObject]:
    parser = SseParser()
    for start in range(0, len(body), _CHUNK):  # a stream may be long: never all of its events at once
        for event in parser.feed(body[start : start + _CHUNK]):
            yield from _values(event.data)
    for event in parser.feed(b"\n\n"):
        yield from _values(event.data)


def _framed(body: bytes) -> Iterator[JsonObject]:
    for frame in frames(body):
        for value in _values(frame.payload):
            yield from _values(_inner(value["bytes"])) if isinstance(value.get("bytes"), str) else [value]


def _inner(coded: str) -> bytes:
    """Return the model's own event inside an event of Bedrock."""
    try:
        return base64.b64decode(coded, validate=True)
    except ValueError:
        return b""

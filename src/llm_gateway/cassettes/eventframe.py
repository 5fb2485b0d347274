"""Frames of AWS event streams, as Bedrock sends them: rewrite their payloads, lengths and checksums included."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable, Iterator

from llm_gateway.cassettes.edit import Edit

__all__ = ["frame_edits"]

_PRELUDE, _CHECKSUM = 12, 4
_INNER = re.compile(rb'(?<="bytes":")[A-Za-z0-9+/]+={0,2}(?=")')


def frame_edits(data: bytes, clean: Callable[[bytes], bytes]) -> Iterator[Edit]:
    """One edit for each frame whose payload *clean* changes; ends where *data* is no whole frame with its checksum."""
    position = 0
    while (size := _size(data, position)) is not None:
        frame = data[position : position + size]
        start = _PRELUDE + int.from_bytes(frame[4:8], "big")
        payload = frame[start:-_CHECKSUM]
        changed = _INNER.sub(lambda match: _inner(match[0], clean), clean(payload))
        if changed != payload:
            yield Edit(position, position + size, _frame(frame[_PRELUDE:start], changed), "event")
        position += size


def _size(data: bytes, position: int) -> int | None:
    size = int.from_bytes(data[position : position + 4], "big")
    if size < _PRELUDE + _CHECKSUM or position + size > len(data):
        return None
    checksum = int.from_bytes(data[position + 8 : position + _PRELUDE], "big")
    return size if zlib.crc32(data[position : position + 8]) == checksum else None


def _inner(encoded: bytes, clean: Callable[[bytes], bytes]) -> bytes:
    """A model's own event inside Bedrock's."""
    try:
        plain = base64.b64decode(encoded, validate=True)
    except ValueError:
        return encoded
    changed = clean(plain)
    return encoded if changed == plain else base64.b64encode(changed)


def _frame(headers: bytes, payload: bytes) -> bytes:
    size = _PRELUDE + len(headers) + len(payload) + _CHECKSUM
    prelude = size.to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    message = prelude + zlib.crc32(prelude).to_bytes(4, "big") + headers + payload
    return message + zlib.crc32(message).to_bytes(4, "big")

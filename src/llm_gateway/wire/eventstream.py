"""Frames of AWS event streams (``application/vnd.amazon.eventstream``), as Bedrock sends them. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["EventFrame", "frames"]

_PRELUDE, _CHECKSUM = 12, 4


@dataclass(frozen=True, slots=True)
class EventFrame:
    """One frame: where it stands, its coded headers, and its payload."""

    start: int
    end: int
    headers: bytes
    payload: bytes

    def with_payload(self, payload: bytes) -> bytes:
        """The bytes of this frame with another payload, lengths and checksums made anew."""
        size = _PRELUDE + len(self.headers) + len(payload) + _CHECKSUM
        prelude = size.to_bytes(4, "big") + len(self.headers).to_bytes(4, "big")
        message = prelude + zlib.crc32(prelude).to_bytes(4, "big") + self.headers + payload
        return message + zlib.crc32(message).to_bytes(4, "big")


def frames(data: bytes) -> Iterator[EventFrame]:
    """The frames at the beginning of *data*; ends where it is no whole frame with its checksum."""
    position = 0
    while (size := _size(data, position)) is not None:
        start = position + _PRELUDE + int.from_bytes(data[position + 4 : position + 8], "big")
        end = position + size
        yield EventFrame(position, end, data[position + _PRELUDE : start], data[start : end - _CHECKSUM])
        position = end


def _size(data: bytes, position: int) -> int | None:
    size = int.from_bytes(data[position : position + 4], "big")
    if size < _PRELUDE + _CHECKSUM or position + size > len(data):
        return None
    checksum = int.from_bytes(data[position + 8 : position + _PRELUDE], "big")
    return size if zlib.crc32(data[position : position + 8]) == checksum else None

"""Frames of AWS event streams (``application/vnd.amazon.eventstream``), as Bedrock sends them. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["EventFrame", "FrameParser", "encode", "frames"]

_PRELUDE, _CHECKSUM = 12, 4
_TEXT = 7
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Length in bytes of the value of each header type; types that are not listed carry their own length."""


@dataclass(frozen=True, slots=True)
class EventFrame:
    """One frame: its position in the data, its encoded headers, and its payload."""

    start: int
    end: int
    headers: bytes
    payload: bytes

    @property
    def texts(self) -> dict[str, str]:
        """Return the headers that hold text, by name."""
        found: dict[str, str] = {}
        position = 0
        while position < len(self.headers):
            start = position + 1 + self.headers[position]
            name, kind = self.headers[position + 1 : start].decode(), self.headers[start]
            size, start = (_SIZES[kind], start + 1) if kind in _SIZES else (_long(self.headers, start + 1), start + 3)
            position = start + size
            if kind == _TEXT:
                found[name] = self.headers[start:position].decode()
        return found

    def with_payload(self, payload: bytes) -> bytes:
        """Return the bytes of this frame with another payload, and new lengths and checksums."""
        size = _PRELUDE + len(self.headers) + len(payload) + _CHECKSUM
        prelude = size.to_bytes(4, "big") + len(self.headers).to_bytes(4, "big")
        message = prelude + zlib.crc32(prelude).to_bytes(4, "big") + self.headers + payload
        return message + zlib.crc32(message).to_bytes(4, "big")


def _long(data: bytes, position: int) -> int:
    return int.from_bytes(data[position : position + 2], "big")


def encode(texts: dict[str, str], payload: bytes) -> bytes:
    """Write one frame, with headers that hold text."""
    coded = (_sized(name, 1) + bytes([_TEXT]) + _sized(text, 2) for name, text in texts.items())
    return EventFrame(0, 0, b"".join(coded), b"").with_payload(payload)


def _sized(text: str, width: int) -> bytes:
    coded = text.encode()
    return len(coded).to_bytes(width, "big") + coded


class FrameParser:
    """Parser of frames in chunks of any size."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[EventFrame]:
        """
        Take the next bytes and return the frames that they complete.

        Raises:
            ValueError: The bytes are no frames, or a checksum does not match.
        """
        self._rest += data
        if not self._is_whole():
            return []
        whole = bytes(self._rest)
        found = list(frames(whole))
        del self._rest[: found[-1].end]
        if not all(_has_checksum(whole, one.start, one.end - _CHECKSUM) for one in found):
            raise ValueError("the checksum of a frame is not that of its bytes")
        return found

    def _is_whole(self) -> bool:
        """Return True when a whole frame was received, by its own length."""
        if len(self._rest) < _PRELUDE:
            return False
        size = int.from_bytes(self._rest[:4], "big")
        if size < _PRELUDE + _CHECKSUM or not _has_checksum(self._rest, 0, _PRELUDE - _CHECKSUM):
            raise ValueError("what came is no frame of an event stream")
        return len(self._rest) >= size


def _has_checksum(data: bytes | bytearray, start: int, end: int) -> bool:
    """Return True when the checksum at *end* is that of the bytes from *start* to *end*."""
    return zlib.crc32(memoryview(data)[start:end]) == int.from_bytes(data[end : end + _CHECKSUM], "big")


def frames(data: bytes) -> Iterator[EventFrame]:
    """Yield the frames at the beginning of *data*, up to the first that is incomplete or has a wrong checksum."""
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
    return size if _has_checksum(data, position, position + _PRELUDE - _CHECKSUM) else None

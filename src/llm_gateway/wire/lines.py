"""Lines, read from pieces of any size."""

from __future__ import annotations

__all__ = ["LineParser"]


class LineParser:
    """Find whole lines in bytes that may be cut anywhere."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []  # joined once: a line of megabytes comes in many pieces

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes and return the lines they complete, without their ends."""
        first, *lines = data.split(b"\n")
        self._rest.append(first)
        if not lines:
            return []
        whole, self._rest = b"".join(self._rest), [lines.pop()]
        return [whole, *lines]

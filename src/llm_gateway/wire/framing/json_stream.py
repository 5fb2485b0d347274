"""JSON that arrives in chunks: one object a line, or the objects of one array."""

from __future__ import annotations

import codecs
import re

__all__ = ["ArrayParser", "LineParser"]

_MARK = re.compile(r'["{}]|\\.?', re.DOTALL)


class ArrayParser:
    """Parser of the objects of one array in chunks of any size; a chunk may end inside a character."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._open: list[str] = []
        self._depth = 0
        self._is_in_string = False
        self._rest = ""

    def feed(self, data: bytes) -> list[str]:
        """Take the next bytes and return the text of each object that they complete."""
        text = self._rest + self._decoder.decode(data)
        self._rest = "\\" if text.endswith("\\") and self._is_escape(text) else ""
        text = text.removesuffix(self._rest)
        found: list[str] = []
        start = 0
        for mark in _MARK.finditer(text):
            before = self._depth
            self._pass(mark[0])
            if before == 0 and self._depth == 1:
                start = mark.start()
            elif before == 1 and self._depth == 0:
                found.append("".join(self._open) + text[start : mark.end()])
                self._open.clear()
        if self._depth:
            self._open.append(text[start:])
        return found

    def _is_escape(self, text: str) -> bool:
        """Return True when the backslash at the end of *text* escapes the character that comes next."""
        return (len(text) - len(text.rstrip("\\"))) % 2 == 1

    def _pass(self, mark: str) -> None:
        if mark == '"':
            self._is_in_string = not self._is_in_string
        elif not self._is_in_string:
            self._depth += {"{": 1, "}": -1}.get(mark, 0)


class LineParser:
    """Parser of lines in chunks of any size."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []  # joined once: a line of megabytes comes in many chunks

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes and return the lines they complete, without their ends."""
        first, *lines = data.split(b"\n")
        self._rest.append(first)
        if not lines:
            return []
        whole, self._rest = b"".join(self._rest), [lines.pop()]
        return [whole, *lines]

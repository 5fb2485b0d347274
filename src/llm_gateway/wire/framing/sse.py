"""Server-sent events: parser of chunks of any size, and encoder."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

__all__ = ["SseEvent", "SseParser", "encode"]


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One event: its name (``message`` when the stream gives none) and its data lines, joined by line feeds."""

    event: str
    data: str


class SseParser:
    """
    Parser of events in chunks of any size; a chunk may end inside a line end or a character.

    Follows the event-stream interpretation of the HTML standard: CR, LF and CRLF end lines, a blank line ends an
    event, a leading byte order mark and comment lines are ignored.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest: list[str] = []  # joined once: an event of megabytes comes in many chunks
        self._after_cr = False
        self._is_first = True
        self._event = ""
        self._data: list[str] = []

    def feed(self, data: bytes) -> list[SseEvent]:
        """Take the next bytes and return the events they complete."""
        text = self._decoder.decode(data)
        if self._is_first and text:
            self._is_first, text = False, text.removeprefix("\ufeff")
        return [event for line in self._lines(text) if (event := self._line(line)) is not None]

    def _lines(self, text: str) -> list[str]:
        if self._after_cr and text:
            self._after_cr, text = False, text.removeprefix("\n")
        self._after_cr = self._after_cr or text.endswith("\r")
        first, *lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._rest.append(first)
        if not lines:
            return []
        whole, self._rest = "".join(self._rest), [lines.pop()]
        return [whole, *lines]

    def _line(self, line: str) -> SseEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        return None

    def _dispatch(self) -> SseEvent | None:
        event, data = self._event or "message", self._data
        self._event, self._data = "", []
        return SseEvent(event, "\n".join(data)) if data else None


def encode(event: str | None, data: str) -> bytes:
    """Write one event; without a name when *event* is None."""
    named = f"event: {event}\n" if event else ""
    return (named + "".join(f"data: {line}\n" for line in data.split("\n")) + "\n").encode()

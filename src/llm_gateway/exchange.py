"""One recorded exchange: an HTTP request with its reply, or a run of a command with all that it read and wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, repeat
from typing import Literal

from llm_gateway.record import CallRecord, End
from llm_gateway.types import WireReply, WireRequest

__all__ = ["Chunk", "End", "Exchange", "Frame", "HttpExchange", "ProcessExchange", "body_chunks", "timed_chunks"]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Where a stream was cut: *length* bytes that arrived *at_s* seconds after the request was sent."""

    length: int
    at_s: float


@dataclass(slots=True)
class HttpExchange:
    """
    A request and its reply; *record* is what they used and cost, once they are accounted for.

    *chunks* is empty for a reply that was not cut. *failure* names the transport error (``connect``,
    ``connect_timeout``, ``read_timeout``, ``read``, ``protocol``) that ended the exchange, or is None. *waits* is
    never recorded: the seconds before a replayed reply begins, and before each of its chunks; empty for at once.
    """

    request: WireRequest
    reply: WireReply | None
    reason: str = ""
    chunks: tuple[Chunk, ...] = ()
    end: End = "complete"
    failure: str | None = None
    failure_text: str | None = None
    recorded_at: datetime | None = None
    duration_s: float | None = None
    record: CallRecord | None = None
    waits: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """A part of a process's input or output: one line, or any bytes, of ``stdin``, ``stdout`` or ``stderr``."""

    channel: Literal["stdin", "stdout", "stderr"]
    data: bytes
    at_s: float


@dataclass(slots=True)
class ProcessExchange:
    """
    A run of a command. *argv* is without the program's folder (``claude``, ...); *frames* are in the order seen.

    *stdin_closed* tells whether the caller closed the standard input. *exit_code* is negative for a signal, or None
    when the caller never waited for the end.
    """

    argv: tuple[str, ...]
    frames: tuple[Frame, ...] = ()
    stdin_closed: bool = True
    exit_code: int | None = None
    end: End = "complete"
    recorded_at: datetime | None = None
    duration_s: float | None = None
    record: CallRecord | None = None

    def channel(self, name: Literal["stdin", "stdout", "stderr"]) -> bytes:
        """Return all bytes of one channel, joined."""
        return b"".join(frame.data for frame in self.frames if frame.channel == name)


Exchange = HttpExchange | ProcessExchange


def timed_chunks(exchange: HttpExchange) -> Iterator[tuple[bytes, float]]:
    """Yield the recorded body in its recorded chunks, each with the seconds to wait before it."""
    body = exchange.reply.body if exchange.reply else b""
    waits = chain(exchange.waits[1:], repeat(0.0))
    start = 0
    for chunk in exchange.chunks:
        yield body[start : start + chunk.length], next(waits)
        start += chunk.length
    if start < len(body):
        yield body[start:], next(waits)


def body_chunks(exchange: HttpExchange) -> Iterator[bytes]:
    """Return the recorded body in its recorded chunks."""
    return (chunk for chunk, _ in timed_chunks(exchange))

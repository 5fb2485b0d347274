"""What one fault does to a call: an answer in place of the recorded one, or a change of it. Pure."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable
from contextlib import suppress
from http import HTTPStatus
from itertools import pairwise
from pathlib import Path

from llm_gateway.cassettes.diagnosis import summary
from llm_gateway.exceptions import FaultError
from llm_gateway.exchange import Chunk, Frame, HttpExchange, ProcessExchange, body_chunks
from llm_gateway.types import WireReply, WireRequest
from llm_gateway.wire.base import ErrorFacts

__all__ = ["Fault", "answered", "changed", "cut", "delayed", "failed", "failure", "paced", "refusing"]

Answer = Callable[[WireRequest], HttpExchange]
Change = Callable[[HttpExchange], HttpExchange]
_CUT = "the connection was closed before the reply was whole"


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """
    One fault, written by a test as *text*.

    *answer* is given instead of any reply; *facts* and *status* are what a run of a command prints instead. *change*
    is made to the recorded reply. *is_end* means that the caller does not get the recorded reply, or not all of
    it: a call can end in one way only.
    """

    text: str
    answer: Answer | None = None
    facts: ErrorFacts | None = None
    status: int | None = None
    change: Change | None = None
    is_end: bool = False


def answered(faults: Iterable[Fault], request: WireRequest) -> HttpExchange | None:
    """Return the answer of one of *faults* to *request*; None where none has one."""
    return next((fault.answer(request) for fault in faults if fault.answer), None)


def failed(faults: Iterable[Fault], argv: tuple[str, ...]) -> ProcessExchange | None:
    """
    Return the run of a command that one of *faults* ends; None where none does.

    Raises:
        FaultError: One of them breaks off HTTP replies only.
    """
    from llm_gateway.wire.claude_cli import DIALECT

    for fault in faults:
        if not fault.is_end:
            continue  # the times of lines are not part of a run
        if fault.facts is None:
            raise FaultError(
                f"{fault.text} cannot be injected into a run of {Path(argv[0]).name}",
                cause="it breaks off a reply over HTTP",
                fix="let the run fail instead: llm_cassette.fault(status=529)",
            )
        reply = DIALECT.encode_error(argv, fault.status, fault.facts)
        printed = Frame("stdout", reply.stdout, 0.0)
        return ProcessExchange(argv, (printed,), exit_code=reply.exit_code, end="error")
    return None


def changed(faults: Iterable[Fault], exchange: HttpExchange, chunks: str | int | None) -> HttpExchange:
    """
    Return *exchange* changed by *faults*, with its stream in chunks as *chunks* sets.

    Raises:
        FaultError: The reply has no place for one of them.
    """
    made = functools.reduce(lambda made, fault: fault.change(made) if fault.change else made, faults, exchange)
    if chunks is None:
        return made
    from llm_gateway.cassettes.chunks import recut

    return recut(made, chunks)


def refusing(status: int, facts: ErrorFacts) -> Answer:
    """Return the answer with an error, in the wire format of the API that is called."""

    def answer(request: WireRequest) -> HttpExchange:
        from llm_gateway.wire.dialects import encode_error
        from llm_gateway.wire.identify import identify

        endpoint = identify(request.method, request.url)
        reason = ""
        with suppress(ValueError):  # 529 is Anthropic's own
            reason = HTTPStatus(status).phrase
        return HttpExchange(request, encode_error(endpoint.api if endpoint else None, status, facts), reason=reason)

    return answer


def failure(kind: str, text: str) -> Answer:
    """Return the answer of a transport that fails without a reply."""
    return lambda request: HttpExchange(request, None, end="error", failure=kind, failure_text=text)


def cut(after_chunks: int) -> Change:
    """Return the change that breaks a reply off after *after_chunks* chunks."""

    def change(exchange: HttpExchange) -> HttpExchange:
        parts = _parts(exchange)
        if after_chunks >= len(parts) or exchange.reply is None:
            raise _beyond(exchange, after_chunks, len(parts))
        body = b"".join(parts[:after_chunks])
        reply = WireReply(exchange.reply.status, exchange.reply.headers, body)
        chunks = exchange.chunks[:after_chunks] or tuple(Chunk(len(part), 0.0) for part in parts[:after_chunks])
        return dataclasses.replace(
            exchange, reply=reply, chunks=chunks, end="error", failure="protocol", failure_text=_CUT
        )

    return change


def _parts(exchange: HttpExchange) -> list[bytes]:
    """Return the chunks of a reply; a stream without known boundaries has one chunk for each event."""
    from llm_gateway.cassettes.chunks import events
    from llm_gateway.wire.framing.reply import is_stream

    reply = exchange.reply
    if reply is not None and not exchange.chunks and is_stream(reply.headers, reply.body):
        return events(reply.body)
    return list(body_chunks(exchange))


def _beyond(exchange: HttpExchange, after_chunks: int, count: int) -> FaultError:
    return FaultError(
        f"cut(after_chunks={after_chunks}) lies behind the end of the reply to {summary(exchange.request)}",
        cause=f"it was recorded in {count} chunk{'' if count == 1 else 's'}",
        fix=f"cut it earlier: llm_cassette.cut(after_chunks={max(0, count - 1)})",
    )


def delayed(seconds: float) -> Change:
    """Return the change that delays a reply."""

    def change(exchange: HttpExchange) -> HttpExchange:
        first, *rest = exchange.waits or (0.0,)
        return dataclasses.replace(exchange, waits=(first + seconds, *rest))

    return change


def paced(speed: float) -> Change:
    """Return the change that replays a reply in its recorded time divided by *speed*; at once where that is unknown."""

    def change(exchange: HttpExchange) -> HttpExchange:
        times = [chunk.at_s for chunk in exchange.chunks] or [exchange.duration_s or 0.0]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        waits = (times[0] / speed, 0.0, *(max(0.0, gap) / speed for gap in gaps))
        first, *rest = exchange.waits or (0.0,)
        return dataclasses.replace(exchange, waits=(first + waits[0], *(rest or waits[1:])))

    return change

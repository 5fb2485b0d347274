"""Steps that a flow yields to its driver. Each is plain data, so that a test of a flow feeds it replies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from llm_gateway.flow.timeout import Timeout
from llm_gateway.record import RecordHolder
from llm_gateway.types import Headers, ProcessRequest, StreamDelta, WireRequest

__all__ = [
    "Await",
    "Call",
    "Emit",
    "Finish",
    "Flow",
    "Head",
    "Now",
    "Open",
    "Read",
    "Rest",
    "Run",
    "Send",
    "Sleep",
    "Start",
    "Step",
]


@dataclass(frozen=True, slots=True)
class Send:
    """
    A step that sends a request and returns its whole `WireReply`.

    Attributes:
        request: The request to send.

        client: A client of an official SDK, or litellm, that sends it; None sends it directly.

        timeouts: Timeouts of the step; none are the defaults of the transport.
    """

    request: WireRequest
    client: Any = None
    timeouts: tuple[Timeout, ...] = ()


@dataclass(frozen=True, slots=True)
class Open:
    """A step like `Send` that returns the `Head` of the reply; `Read` steps then return its body."""

    request: WireRequest
    client: Any = None
    timeouts: tuple[Timeout, ...] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers of a reply, the result of `Open`; *holder* is that of `WireReply`."""

    status: int
    headers: Headers
    holder: RecordHolder | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Read:
    """A step that returns the next chunk of the body, ``b""`` at its end; without *timeouts* those of `Open` apply."""

    timeouts: tuple[Timeout, ...] = ()


@dataclass(frozen=True, slots=True)
class Rest:
    """A step that reads the open reply to its end, which is due at once, so that its connection can be reused."""


@dataclass(frozen=True, slots=True)
class Run:
    """A step that runs a command and returns its `ProcessReply`."""

    request: ProcessRequest
    timeouts: tuple[Timeout, ...]


@dataclass(frozen=True, slots=True)
class Start:
    """A step that starts a command; `Read` steps then return its output, and `Finish` its end."""

    request: ProcessRequest
    timeouts: tuple[Timeout, ...]


@dataclass(frozen=True, slots=True)
class Finish:
    """A step that returns the `ProcessReply` of the started command, without the output that was read."""

    timeouts: tuple[Timeout, ...]


@dataclass(frozen=True, slots=True)
class Await:
    """A step that calls an async function of a custom provider and returns its result."""

    function: Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Call:
    """A step that calls a blocking function, in a worker thread of an event loop, and returns its result."""

    function: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Sleep:
    """A step that waits."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Now:
    """A step that returns the seconds of a monotonic clock."""


@dataclass(frozen=True, slots=True)
class Emit:
    """A step that yields a delta of the answer to the reader of the stream."""

    delta: StreamDelta


Step = Send | Open | Read | Rest | Run | Start | Finish | Await | Call | Sleep | Now | Emit
Flow = Generator[Step, Any, Any]
"""A generator of steps; its return value is the flow's result."""

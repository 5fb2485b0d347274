"""What a flow can ask its driver to do. Each step is plain data, so a flow is tested by feeding it replies."""

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
    Send a request, through *client* of an official SDK if one is given; come back with its whole `WireReply`.

    Without *timeouts* the transport's own holds.
    """

    request: WireRequest
    client: Any = None
    timeouts: tuple[Timeout, ...] = ()


@dataclass(frozen=True, slots=True)
class Open:
    """As `Send`, but come back with the `Head` of the reply; its body is then asked for with `Read`."""

    request: WireRequest
    client: Any = None
    timeouts: tuple[Timeout, ...] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """What comes back from `Open`; *holder* is as in `WireReply`."""

    status: int
    headers: Headers
    holder: RecordHolder | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Read:
    """Come back with the next chunk of the open body, ``b""`` at its end. Without *timeouts* those of `Open` go on."""

    timeouts: tuple[Timeout, ...] = ()


@dataclass(frozen=True, slots=True)
class Rest:
    """Read the open reply to its end, which is due at once, so that its connection can be used again."""


@dataclass(frozen=True, slots=True)
class Run:
    """Run a command and come back with its `ProcessReply`."""

    request: ProcessRequest
    timeouts: tuple[Timeout, ...]


@dataclass(frozen=True, slots=True)
class Start:
    """Start a command; its output is then asked for with `Read`, and its end with `Finish`."""

    request: ProcessRequest
    timeouts: tuple[Timeout, ...]


@dataclass(frozen=True, slots=True)
class Finish:
    """Come back with the `ProcessReply` of the started command, without the output that was read."""

    timeouts: tuple[Timeout, ...]


@dataclass(frozen=True, slots=True)
class Await:
    """Call an async function of someone else's and come back with what it returns."""

    function: Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Call:
    """Call a function that may wait, out of the way of an event loop, and come back with what it returns."""

    function: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Now:
    """Come back with seconds of a clock that only ever moves forward."""


@dataclass(frozen=True, slots=True)
class Emit:
    """Hand a chunk of the answer to whoever reads the stream."""

    delta: StreamDelta


Step = Send | Open | Read | Rest | Run | Start | Finish | Await | Call | Sleep | Now | Emit
Flow = Generator[Step, Any, Any]
"""A generator of steps; its return value is the flow's result."""

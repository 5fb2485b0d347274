"""Events of a call, as data, and the protocols of observers. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from llm_gateway.types import Attempt, ChatReply, ChatRequest, TokenUsage

__all__ = [
    "AttemptEnded",
    "AttemptStarted",
    "CallEnded",
    "CallStarted",
    "End",
    "Event",
    "FallbackHop",
    "FirstContent",
    "Observer",
    "Surrounding",
]

End = Literal["complete", "failed", "cancelled", "abandoned"]
"""How a call or an attempt ended; ``abandoned`` is a stream that its reader left before the end."""


@dataclass(frozen=True, slots=True)
class CallStarted:
    """
    The beginning of a call of the client.

    Attributes:
        call_id: Number of the call, unique in this process, in all its events.

        verb: The method of the client.

        address: The provider's host; None where it is not called over HTTP.

        request: The request, prompts included; it is neither logged nor traced, unless ``capture_content`` is set.
    """

    call_id: int
    verb: Literal["chat", "complete", "stream"]
    provider: str
    model: str
    session_id: str | None
    address: str | None
    port: int | None
    request: ChatRequest = field(repr=False)


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """The beginning of an attempt, before its request is sent; *number* counts the attempts of the call from 1."""

    call_id: int
    number: int
    provider: str
    model: str
    address: str | None
    port: int | None


@dataclass(frozen=True, slots=True)
class FirstContent:
    """The first content of a stream, which arrived *after_s* seconds after its call began."""

    call_id: int
    after_s: float


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """The end of an attempt: a reply, an error or a cancellation; *error* is as in `CallEnded`."""

    call_id: int
    attempt: Attempt
    end: End
    error: str | None
    reply: ChatReply | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class FallbackHop:
    """The change to *model* of *provider*, after *error* of the previous model."""

    call_id: int
    error: str
    provider: str
    model: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """
    The end of a call.

    Attributes:
        started: The event of its beginning.

        end: How the call ended.

        provider: The provider that answered, or that was called last.

        model: The model that answered, as the provider names it.

        error: The kind of a `ProviderError`, else the name of the error's class; None when all went well.

        usage: Tokens of all attempts, or None where none reported any.

        cost_usd: US dollars of all attempts that were billed, or None when the price of one is not known.

        first_content_s: Seconds to a stream's first content, or None.

        exception: The exception that the caller got; its text may quote the request.

        is_cached: Whether the answer, or a part of it, came from the cache.
    """

    started: CallStarted
    end: End
    provider: str
    model: str
    error: str | None
    attempts: tuple[Attempt, ...]
    usage: TokenUsage | None
    cost_usd: Decimal | None
    duration_s: float
    first_content_s: float | None
    reply: ChatReply | None = field(default=None, repr=False)
    exception: BaseException | None = field(default=None, repr=False)
    is_cached: bool = False


Event: TypeAlias = CallStarted | AttemptStarted | FirstContent | AttemptEnded | FallbackHop | CallEnded


class Observer(Protocol):
    """A receiver of events. It is called in the thread of the call, so it has to be fast and thread-safe."""

    def observe(self, event: Event) -> None:
        """Handle *event*; an exception is logged once, and does not fail the call."""
        ...


@runtime_checkable
class Surrounding(Protocol):
    """An observer that is also notified before and after each call of the provider, to set context variables."""

    def enter(self, call_id: int) -> object:
        """Set context variables for the provider's call; return a token for `leave`."""
        ...

    def leave(self, token: object) -> None:
        """Reset the context variables, in the same context."""
        ...

"""What happens to a call, as data, and who may hear of it. Standard library only."""

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
    A call of the client began.

    Attributes:
        call_id: The same in all events of the call, and of no other call in this process.

        verb: As the caller named it.

        address: The provider's host, or None for one that is not called over HTTP.

        request: What is asked, prompts included: nothing of it is logged or traced unless somebody says so.
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
    """A request is about to be sent; *number* counts those of the call from 1."""

    call_id: int
    number: int
    provider: str
    model: str
    address: str | None
    port: int | None


@dataclass(frozen=True, slots=True)
class FirstContent:
    """A stream's first content arrived, *after_s* seconds after its call began."""

    call_id: int
    after_s: float


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """A request was answered, failed, or nobody waits for it any more; *error* is as in `CallEnded`."""

    call_id: int
    attempt: Attempt
    end: End
    error: str | None
    reply: ChatReply | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class FallbackHop:
    """A model could not answer because of *error*; *model* of *provider* is asked next."""

    call_id: int
    error: str
    provider: str
    model: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """
    A call is over.

    Attributes:
        started: How it began.

        provider: Whose model answered, or was the last to be asked.

        model: As the provider names the one that answered.

        error: The kind of a `ProviderError`, else the name of the error's class; None when all went well.

        usage: Tokens of all attempts, or None when none reported any.

        cost_usd: US dollars of all attempts that were billed, or None when the price of one is not known.

        first_content_s: Seconds to a stream's first content, or None.

        exception: What the caller got instead of an answer; its text may quote what was asked.

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
    """Hears of calls. It is called where the call runs, so it has to be quick, and safe to call from any thread."""

    def observe(self, event: Event) -> None:
        """Take in *event*; what this raises is logged once and breaks no call."""
        ...


@runtime_checkable
class Surrounding(Protocol):
    """An observer that is also told whenever the provider is being waited for, to set context variables."""

    def enter(self, call_id: int) -> object:
        """Set what is to be seen by whatever the provider's call does; the result is handed to `leave`."""
        ...

    def leave(self, token: object) -> None:
        """Take it back, in the same context."""
        ...

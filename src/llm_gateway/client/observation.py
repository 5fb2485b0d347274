"""Events of a call, built for its observers and sent to them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from llm_gateway.cost.totals import Totals
from llm_gateway.exceptions import ProviderError
from llm_gateway.observability.events import (
    AttemptEnded,
    AttemptStarted,
    CallEnded,
    CallStarted,
    End,
    FallbackHop,
    FirstContent,
)
from llm_gateway.observability.observers import Observers
from llm_gateway.providers.base import Provider, provider_address, provider_name
from llm_gateway.record import CallRecord
from llm_gateway.types import ChatReply, ChatRequest

__all__ = ["Observation", "Verb"]

Verb: TypeAlias = Literal["chat", "complete", "stream"]
_ids = itertools.count(1)


class Observation:
    """
    The notifications of one call.

    Args:
        observers: The observers to notify.

        clock: Returns the seconds of a monotonic clock.
    """

    def __init__(self, observers: Observers, clock: Callable[[], float] = time.monotonic) -> None:
        self.observers = observers
        self.call_id = next(_ids)
        self._clock = clock
        self._began = self._attempt_began = clock()
        self._first_content_s: float | None = None
        self._stop: BaseException | None = None
        self._attempt_started: AttemptStarted | None = None
        self._is_attempting = self._has_unknown_cost = False

    def begin(self, verb: Verb, provider: Provider, request: ChatRequest, session_id: str | None) -> CallStarted:
        """Notify observers of the beginning of the call."""
        self._began = self._clock()
        name, where = provider_name(provider), _server_of(provider)
        started = CallStarted(self.call_id, verb, name, request.model, session_id, *where, request)
        self.observers.notify(started)
        return started

    def attempt_begins(self, number: int, provider: Provider, model: str) -> None:
        """Notify observers of attempt *number*, counted from 1, before its request is sent."""
        self._attempt_began, self._is_attempting = self._clock(), True
        name, where = provider_name(provider), _server_of(provider)
        self._attempt_started = AttemptStarted(self.call_id, number, name, model, *where)
        self.observers.notify(self._attempt_started)

    def attempt_ends(self, attempt: CallRecord, reply: ChatReply | None, error: BaseException | None) -> None:
        """Notify observers of the end of an attempt: a reply, or *error*, or a stream left because of *error*."""
        self._is_attempting = False
        self.observers.notify(AttemptEnded(self.call_id, attempt, *self._outcome(error), reply))

    def attempt_breaks(self, error: BaseException, record: CallRecord | None) -> None:
        """
        Notify observers of an attempt that ended without a reply, unless its end was reported before.

        *record* is the one that the call added; None for an attempt that failed here, before it was sent.
        """
        if self._attempt_started is not None and self._is_attempting:
            started, kind = self._attempt_started, self._outcome(error)[1]
            lasted = self._clock() - self._attempt_began
            self._has_unknown_cost = True
            unsent = CallRecord(
                attempt=started.number,
                provider=started.provider,
                model_requested=started.model,
                error=kind,
                is_billed=False,
            )
            self.attempt_ends(replace(record or unsent, duration_s=lasted), None, error)

    def content(self) -> None:
        """Notify observers of the first chunk of a stream."""
        if self._first_content_s is None:
            self._first_content_s = self._clock() - self._began
            self.observers.notify(FirstContent(self.call_id, self._first_content_s))

    def hop(self, error: ProviderError, provider: str, model: str) -> None:
        """Notify observers of a fallback to another model because of *error*."""
        self.observers.notify(FallbackHop(self.call_id, error.kind, provider, model))

    def interrupt(self, error: BaseException) -> None:
        """Note a cancellation by *error*; the flow handles ordinary errors."""
        if not isinstance(error, Exception | GeneratorExit):
            self._stop = error

    def end(
        self,
        started: CallStarted,
        provider: str,
        attempts: Sequence[CallRecord],
        reply: ChatReply | None,
        error: BaseException | None,
        *,
        is_cached: bool = False,
    ) -> None:
        """Notify observers of the end of the call; *provider* is the name of the one that was called last."""
        end, kind = self._outcome(error)
        totals = Totals.of(attempts)
        self.observers.notify(
            CallEnded(
                started,
                end,
                provider,
                (reply and reply.model) or (self._attempt_started or started).model,
                kind,
                tuple(attempts),
                totals.usage,
                None if self._has_unknown_cost else totals.cost_usd,
                self._clock() - self._began,
                self._first_content_s,
                reply,
                self._stop if isinstance(error, GeneratorExit) else error,
                is_cached=is_cached,
            )
        )

    def _outcome(self, error: BaseException | None) -> tuple[End, str | None]:
        """Return how the call ended, and the name of the error."""
        if error is None:
            return "complete", None
        if not isinstance(error, GeneratorExit):
            return "failed", _error_name(error)
        return ("abandoned", None) if self._stop is None else ("cancelled", _error_name(self._stop))


def _error_name(error: BaseException) -> str:
    if isinstance(error, ProviderError):
        return error.kind
    name = type(error).__qualname__
    return "cancelled" if name in {"CancelledError", "Cancelled"} else name  # asyncio's, trio's


def _server_of(provider: Provider) -> tuple[str | None, int | None]:
    """Return host and port of *provider*; None where it is not called over HTTP."""
    found = urlsplit(provider_address(provider))
    return found.hostname, found.port or {"https": 443, "http": 80}.get(found.scheme)

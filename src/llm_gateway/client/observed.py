"""Events of a call for its observers; without observers nothing is built or measured."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from llm_gateway.cost.totals import Totals
from llm_gateway.exceptions import ProviderError
from llm_gateway.flow.drive import AsyncExecutor, Executor
from llm_gateway.flow.steps import Flow, Step
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
from llm_gateway.providers.base import HttpProvider, Provider
from llm_gateway.record import CallRecord
from llm_gateway.types import ChatReply, ChatRequest, LLMResponse

if TYPE_CHECKING:
    from llm_gateway.client.call import Call

__all__ = ["Observation", "asynchronously", "interrupt", "server_of", "synchronously"]

Verb = Literal["chat", "complete", "stream"]
_ids = itertools.count(1)


def synchronously(
    verb: Verb, call: Call, request: ChatRequest, flow: Flow, executor: Executor
) -> tuple[Flow, Executor]:
    """Return *flow* and *executor* with notifications of observers; unchanged where there are none."""
    observed = call.observed
    if observed is None:
        return flow, executor
    return _notify_around(verb, call, request, flow, observed), _ObservedExecutor(executor, observed)


def asynchronously(
    verb: Verb, call: Call, request: ChatRequest, flow: Flow, executor: AsyncExecutor
) -> tuple[Flow, AsyncExecutor]:
    """Return the same as `synchronously`, for an event loop."""
    observed = call.observed
    if observed is None:
        return flow, executor
    return _notify_around(verb, call, request, flow, observed), _AsyncObservedExecutor(executor, observed)


def interrupt(executor: object, error: BaseException | None) -> None:
    """Note that the reader of the stream of *executor* was stopped by *error*."""
    if isinstance(executor, _ObservedExecutor | _AsyncObservedExecutor) and error is not None:
        executor.observed.interrupt(error)


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

    def begin(self, verb: Verb, call: Call, request: ChatRequest) -> CallStarted:
        """Notify observers of the beginning of the call."""
        self._began = self._clock()
        where = server_of(call.provider)
        started = CallStarted(self.call_id, verb, call.provider_name, request.model, call.session_id, *where, request)
        self.observers.notify(started)
        return started

    def attempt_begins(self, call: Call, request: ChatRequest) -> None:
        """Notify observers of an attempt, before its request is sent."""
        self._attempt_began, self._is_attempting = self._clock(), True
        number, where = len(call.attempts) + 1, server_of(call.provider)
        self._attempt_started = AttemptStarted(self.call_id, number, call.provider_name, request.model, *where)
        self.observers.notify(self._attempt_started)

    def attempt_ends(self, attempt: CallRecord, reply: ChatReply | None, error: BaseException | None) -> None:
        """Notify observers of the end of an attempt: a reply, or *error*, or a stream left because of *error*."""
        self._is_attempting = False
        self.observers.notify(AttemptEnded(self.call_id, attempt, *self._outcome(error), reply))

    def attempt_breaks(self, error: BaseException) -> None:
        """Notify observers of an attempt that ended without a reply, unless its end was reported before."""
        if self._attempt_started is not None and self._is_attempting:
            started, kind = self._attempt_started, self._outcome(error)[1]
            lasted = self._clock() - self._attempt_began
            self._has_unknown_cost = True
            attempt = CallRecord(
                attempt=started.number,
                provider=started.provider,
                model_requested=started.model,
                error=kind,
                duration_s=lasted,
                is_billed=False,
            )
            self.attempt_ends(attempt, None, error)

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

    def end(self, started: CallStarted, call: Call, reply: ChatReply | None, error: BaseException | None) -> None:
        """Notify observers of the end of the call."""
        end, kind = self._outcome(error)
        totals = Totals.of(call.attempts)
        self.observers.notify(
            CallEnded(
                started,
                end,
                call.provider_name,
                (reply and reply.model) or (self._attempt_started or started).model,
                kind,
                tuple(call.attempts),
                totals.usage,
                None if self._has_unknown_cost else totals.cost_usd,
                self._clock() - self._began,
                self._first_content_s,
                reply,
                self._stop if isinstance(error, GeneratorExit) else error,
                is_cached=bool(call.hits),
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


def server_of(provider: Provider) -> tuple[str | None, int | None]:
    """Return host and port of *provider*; None where it is not called over HTTP."""
    if not isinstance(provider, HttpProvider):
        return None, None
    found = urlsplit(provider.base_url if provider.client is None else str(provider.client.base_url))
    return found.hostname, found.port or {"https": 443, "http": 80}.get(found.scheme)


def _notify_around(verb: Verb, call: Call, request: ChatRequest, flow: Flow, observed: Observation) -> Flow:
    started = observed.begin(verb, call, request)
    try:
        response: LLMResponse[Any] = yield from flow
    except BaseException as error:
        observed.end(started, call, None, error)
        raise
    observed.end(started, call, response.reply, None)
    return response


class _ObservedExecutor:
    """An executor that enters observers around each step, so that spans of HTTP libraries have the right parent."""

    def __init__(self, executor: Executor, observed: Observation) -> None:
        self._executor = executor
        self.observed = observed

    def execute(self, step: Step) -> Any:
        entered = self.observed.observers.enter(self.observed.call_id)
        try:
            return self._executor.execute(step)
        except BaseException as error:
            self.observed.interrupt(error)
            raise
        finally:
            self.observed.observers.leave(entered)

    def close(self) -> None:
        self._executor.close()


class _AsyncObservedExecutor:
    """An `_ObservedExecutor` for an event loop."""

    def __init__(self, executor: AsyncExecutor, observed: Observation) -> None:
        self._executor = executor
        self.observed = observed

    async def execute(self, step: Step) -> Any:
        entered = self.observed.observers.enter(self.observed.call_id)
        try:
            return await self._executor.execute(step)
        except BaseException as error:
            self.observed.interrupt(error)
            raise
        finally:
            self.observed.observers.leave(entered)

    async def close(self) -> None:
        await self._executor.close()

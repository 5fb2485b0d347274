"""Retries: whether a failed attempt is repeated, and after what wait. Nothing else repeats an attempt."""

from __future__ import annotations

from collections.abc import Callable

from llm_gateway.client.call import Call
from llm_gateway.client.models.nearest import offer_listed
from llm_gateway.exceptions import ProviderError
from llm_gateway.flow.steps import Flow, Now, Sleep
from llm_gateway.types import ChatReply, ChatRequest

__all__ = ["wait_s", "with_retries"]

_FIRST_S = 0.5
_LONGEST_S = 60.0


def wait_s(error: ProviderError, attempt: int, max_retries: int) -> float | None:
    """
    Return the seconds to wait before attempt *attempt* + 1, or None when there is to be no other.

    A wait that the provider requests is honoured up to a minute; a longer one is left to the caller.
    """
    if not error.is_retryable or attempt > max_retries:
        return None
    if error.retry_after_s is not None:
        return max(0.0, error.retry_after_s) if error.retry_after_s <= _LONGEST_S else None
    return _grown(attempt)


def _grown(attempt: int) -> float:
    """Return a wait that doubles with each attempt, with some jitter."""
    from tenacity import RetryCallState, Retrying, wait_exponential, wait_random

    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = attempt
    grown = wait_exponential(multiplier=_FIRST_S, max=_LONGEST_S) + wait_random(0, _FIRST_S / 2)
    return grown(state)


def with_retries(call: Call, request: ChatRequest, send: Callable[[Call, ChatRequest], Flow]) -> Flow:
    """
    Send *request*, repeat it while that may help and there is time, and return the `ChatReply`.

    Raises:
        ProviderError: The last failure.
        CircuitOpenError: The provider failed too often, and is not called for now.
        CostLimitExceededError: The next attempt could pass the cost limit.
    """
    before = len(call.attempts)
    while True:
        start = yield Now()
        call.begin(start)
        if call.breaker is not None:
            call.breaker.admit(call.provider_name, start)
        call.enter(request)
        try:
            reply: ChatReply = yield from send(call, request)
        except ProviderError as error:
            now = yield Now()
            record = call.note(request.model, None, error, latency_s=now - start)
            yield from call.write_ledger()
            seconds = _wait_s(call, error, len(call.attempts) - before, now, is_real=record.is_real)
            if seconds is None:
                yield from offer_listed(call, request.model, error)
                raise
            if record.is_real:
                yield Sleep(seconds)
        except BaseException as error:
            call.abandon(error)
            call.write_ledger_now()  # the driver of this flow takes no more steps
            raise
        else:
            call.note(request.model, reply, latency_s=(yield Now()) - start)
            if call.breaker is not None:
                call.breaker.answered()
            yield from call.write_ledger()
            return reply


def _wait_s(call: Call, error: ProviderError, attempt: int, now: float, *, is_real: bool) -> float | None:
    """Return the seconds to wait after *error*, or None where it is final: begun, out of time, or circuit open."""
    breaker, seconds = call.breaker, wait_s(error, attempt, call.max_retries)
    if breaker is not None and is_real:  # a replay does not wait, so that a pause would never end
        breaker.failed(error, now)
    if seconds is None or error.has_begun or not call.has_time(seconds, now):
        return None
    return None if breaker is not None and breaker.state(now + seconds) == "open" else seconds

"""When a failed attempt is made again, and after what wait."""

from __future__ import annotations

from llm_gateway.exceptions import ProviderError

__all__ = ["wait_s"]

_FIRST_S = 0.5
_LONGEST_S = 60.0


def wait_s(error: ProviderError, attempt: int, max_retries: int) -> float | None:
    """
    Seconds to wait before attempt *attempt* + 1, or None when it is not to be made.

    What the provider asks for is honoured up to a minute; a longer wait is the caller's to decide.
    """
    if not error.is_retryable or attempt > max_retries:
        return None
    if error.retry_after_s is not None:
        return max(0.0, error.retry_after_s) if error.retry_after_s <= _LONGEST_S else None
    return _grown(attempt)


def _grown(attempt: int) -> float:
    """Twice as long after each attempt, and a little apart from other callers."""
    from tenacity import RetryCallState, Retrying, wait_exponential_jitter

    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = attempt
    return wait_exponential_jitter(initial=_FIRST_S, max=_LONGEST_S, jitter=_FIRST_S / 2)(state)

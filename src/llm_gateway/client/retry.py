"""When a failed attempt is made again, and after what wait."""

from __future__ import annotations

import random

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
        return error.retry_after_s if error.retry_after_s <= _LONGEST_S else None
    return min(_FIRST_S * 2.0 ** (attempt - 1), _LONGEST_S) * random.uniform(0.75, 1.25)  # noqa: S311  jitter, no secret

"""What differs from call to call and says nothing about the answer is masked."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["is_masked"]

_ANYWHERE = frozenset({"system_fingerprint", "request_id", "requestId", "latency_s", "latency_ms", "latencyMs"})
_OF_PROVIDERS = frozenset(
    "created created_at createdAt completed_at create_time createTime response_id responseId session_id "
    "duration_ms duration_api_ms total_duration load_duration prompt_eval_duration eval_duration "
    "queue_time prompt_time completion_time total_time".split()
)


def is_masked(names: Sequence[str], mask: Sequence[str], *, is_provider: bool) -> bool:
    """
    Whether the member at the end of *names* is masked.

    Args:
        names: Names of the members from the root down to this one; positions in lists do not count.

        mask: Further members, by name or by the end of their path: ``"price"``, ``"order.price"``.

        is_provider: Whether its owner is an object that a provider or this package made, not the user's own.
    """
    last = names[-1]
    if last in _ANYWHERE or (is_provider and last in _OF_PROVIDERS):
        return True
    return any(list(names[-len(parts) :]) == parts for parts in (entry.split(".") for entry in mask))

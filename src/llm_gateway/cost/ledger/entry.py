"""One attempt to call a model, as a ledger keeps it."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from llm_gateway.exceptions import LedgerError
from llm_gateway.record import MOST_USD, CallRecord, is_cost
from llm_gateway.usage import COUNTS, MOST_TOKENS, TokenUsage

__all__ = ["Entry"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One attempt: when, by whom, of what, what it used and cost. None is not known; an empty text is none.

    Attributes:
        id: Identifies the attempt; a ledger takes each id once.

        at: When the request was sent; kept in UTC.

        usage: Tokens as the provider reported them.

        cost_usd: US dollars, kept to the picodollar.

        price: Where the price comes from, such as ``genai-prices 0.2.3``.

        status: ``ok``, or the kind of the error.

    Raises:
        LedgerError: A number or a time is none that an attempt can have.
    """

    id: str
    at: datetime
    provider: str
    api: str | None = None
    model_requested: str | None = None
    model_served: str | None = None
    usage: TokenUsage | None = None
    cost_usd: Decimal | None = None
    price: str | None = None
    latency_s: float | None = None
    status: str = "ok"
    session_id: str | None = None
    test_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, record: CallRecord) -> Entry:
        """
        Return the entry for *record*, which has an id and the time at which it began.

        A call that is not billed is written with zeros, and a number that no call can have as unknown.
        """
        charged = record.charged()
        return cls(
            id=record.id or uuid.uuid4().hex,
            at=record.started_at or datetime.now(UTC),
            provider=record.provider or "unknown",
            api=record.api,
            model_requested=record.model_requested,
            model_served=record.model_served,
            usage=_known_usage(charged.usage),
            cost_usd=_known_cost(charged.cost_usd),
            price=str(record.price.get("source")) if record.price and record.cost_usd is not None else None,
            latency_s=record.duration_s,
            status=record.outcome,
            session_id=record.session_id,
            test_id=record.test_id,
            tags=record.tags,
        )

    def __post_init__(self) -> None:
        if not self.id:
            _raise_invalid("id", self.id, "a text that no other attempt has")
        if self.at.utcoffset() is None or self.at < _EPOCH:
            _raise_invalid("at", self.at, "a time after 1970 with a time zone, such as datetime.now(UTC)")
        object.__setattr__(self, "at", self.at.astimezone(UTC))
        if _known_cost(self.cost_usd) != self.cost_usd:
            _raise_invalid("cost_usd", self.cost_usd, f"from 0 to {MOST_USD:,} US dollars, or None")
        if self.latency_s is not None and not 0 <= self.latency_s < math.inf:
            _raise_invalid("latency_s", self.latency_s, "seconds from 0, or None")
        for name in COUNTS if self.usage else ():
            count = getattr(self.usage, name)
            if not _is_count(count):
                _raise_invalid(name, count, f"a whole number from 0 to {MOST_TOKENS:,}, or None")


def _known_cost(cost_usd: Decimal | None) -> Decimal | None:
    """Return *cost_usd*, or None where no attempt can cost that."""
    return cost_usd if cost_usd is not None and is_cost(cost_usd) else None


def _known_usage(usage: TokenUsage | None) -> TokenUsage | None:
    """Return *usage* with None for each number that no attempt can have."""
    if usage is None:
        return None
    wrong: dict[str, Any] = {name: None for name in COUNTS if not _is_count(getattr(usage, name))}
    return replace(usage, **wrong)


def _is_count(count: object) -> bool:
    return count is None or (isinstance(count, int) and 0 <= count <= MOST_TOKENS)


def _raise_invalid(name: str, value: object, allowed: str) -> None:
    raise LedgerError(f"no entry of a ledger has {name}={value!r}", cause=f"it has to be {allowed}")

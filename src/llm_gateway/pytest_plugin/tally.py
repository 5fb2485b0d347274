"""Calls as plain data that a report can carry between processes, and their sums."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from llm_gateway.cost.money import exact

if TYPE_CHECKING:
    from llm_gateway.cassettes.call import Call

__all__ = ["Sum", "money", "to_plain"]


def to_plain(
    outcome: str | None,
    calls: Sequence[Call],
    refused: Sequence[str],
    *,
    missed: Sequence[str] = (),
    budget: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What one phase of a test tells the summary and the report files, as JSON can hold it."""
    return {
        "outcome": outcome,
        "calls": [_plain_call(call) for call in calls],
        "refused": list(refused),
        "missed": list(missed),
        "budget": budget,
    }


def _plain_call(call: Call) -> dict[str, Any]:
    metering, usage = call.metering, call.metering.usage
    return {
        "served": call.served,
        "provider": metering.provider,
        "api": metering.api,
        "model": metering.model_served or metering.model_requested,
        "input": usage.input_tokens if usage else None,
        "output": usage.output_tokens if usage else None,
        "cache_read": usage.cache_read_tokens if usage else None,
        "cache_write": usage.cache_write_tokens if usage else None,
        "reasoning": usage.reasoning_tokens if usage else None,
        "cost": None if metering.cost_usd is None else str(metering.cost_usd),
        "is_llm": metering.api is not None,
        "is_billed": call.is_billed,
        "status": call.status,
        "error": call.error,
        "recorded_at": call.recorded_at.isoformat() if call.recorded_at else None,
        "duration_s": call.duration_s,
    }


@dataclass(slots=True)
class Sum:
    """The sums of some calls. What was not reported is counted apart, never as zero."""

    calls: int = 0
    billed: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: Decimal = Decimal(0)
    without_usage: int = 0
    without_price: int = 0
    duration_s: float = 0.0

    def add(self, calls: Iterable[dict[str, Any]]) -> None:
        """Add *calls* as `to_plain` made them."""
        for call in calls:
            self.calls += 1
            self.duration_s += call["duration_s"] or 0.0
            if call["is_llm"]:
                self._add_numbers(call)

    @exact()
    def _add_numbers(self, call: dict[str, Any]) -> None:
        if not call["is_billed"]:
            return
        self.billed += 1
        if call["cost"] is None and None in (call["input"], call["output"]):
            self.without_usage += 1
        elif call["cost"] is None:
            self.without_price += 1
        self.input_tokens = _plus(self.input_tokens, call["input"])
        self.output_tokens = _plus(self.output_tokens, call["output"])
        self.cost_usd += Decimal(call["cost"] or 0)

    def tokens(self) -> str:
        """``1,204 tokens in, 96 out``, with ``?`` for what no call reported."""
        if self.billed and self.input_tokens is None and self.output_tokens is None:
            return "tokens unknown"
        return f"{self._part(self.input_tokens)} tokens in, {self._part(self.output_tokens)} out"

    def _part(self, count: int | None) -> str:
        return "?" if count is None and self.billed else f"{count or 0:,}"

    def cost(self) -> str:
        """``$0.0031``, or that no price is known."""
        if not self.cost_usd and (self.without_price or self.without_usage):
            return "cost unknown"
        return money(self.cost_usd)

    def unknown(self) -> str:
        """``(1 without usage, 2 without price)``, or nothing."""
        parts = [(self.without_usage, "without usage"), (self.without_price, "without price")]
        known = [f"{count} {what}" for count, what in parts if count]
        return f"({', '.join(known)})" if known else ""


def _plus(total: int | None, count: int | None) -> int | None:
    return total if count is None else (total or 0) + count


def money(amount: Decimal) -> str:
    """Dollars with as many digits as small sums need: ``$1.25``, ``$0.0031``, ``$0.000042``, ``$0.0000005``."""
    if not amount:
        return "$0"
    digits = 2 if amount >= 1 else 4 if amount >= Decimal("0.001") else max(6, -amount.adjusted())
    return f"${amount:.{digits}f}"

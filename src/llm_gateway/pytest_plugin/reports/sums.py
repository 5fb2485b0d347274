"""Sums of calls as the documents of a report hold them: `Totals` as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from llm_gateway.cost.money import exact
from llm_gateway.cost.totals import Totals
from llm_gateway.record import CallRecord
from llm_gateway.usage import MAIN_COUNTS

__all__ = ["ANSWERED", "dollars", "model_rows", "sums"]

ANSWERED = ("replay", "record", "live")
"""The sources of calls that a report adds up; scripts, faults and calls that were not made are counted apart."""


def sums(calls: Iterable[CallRecord]) -> dict[str, Any]:
    """Return what *calls* used and cost together; those that only a script answered, or nobody, are left out."""
    return as_row(Totals.of(call for call in calls if call.source in ANSWERED))


def as_row(totals: Totals) -> dict[str, Any]:
    """
    Return *totals* as JSON can hold them.

    A sum covers the calls that told the number, and is None when there were calls and none of them did.
    """
    cost: Decimal | None = totals.partial("cost_usd")
    return {
        "calls": totals.calls,
        "model_calls": totals.model_calls,
        **{name: totals.partial(name) for name in (*MAIN_COUNTS, "fresh_input_tokens")},
        "cost_usd": None if cost is None else dollars(cost),
        "waited_s": None if totals.waited_s is None else round(totals.waited_s, 4),
        "unknown": {name: totals.unknown(name) for name in (*MAIN_COUNTS, "cost_usd")},
    }


def dollars(amount: Decimal) -> str:
    """Return an exact amount without an exponent: ``0.0000054``."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text


@exact()
def model_rows(calls: Iterable[CallRecord]) -> list[dict[str, Any]]:
    """Return the sums of each model that was called, the most expensive first."""
    groups: dict[tuple[str | None, str | None], list[CallRecord]] = {}
    for call in calls:
        if call.is_model_call and call.source in ANSWERED:
            groups.setdefault((call.provider, call.model or None), []).append(call)
    rows = [(provider, model, Totals.of(group)) for (provider, model), group in groups.items()]
    rows.sort(key=lambda row: (-row[2].known_cost_usd, -row[2].sum_known("input_tokens"), str(row[1])))
    return [{"provider": provider, "model": model, "totals": as_row(totals)} for provider, model, totals in rows]

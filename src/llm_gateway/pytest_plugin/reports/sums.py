"""
Sums of calls, as the documents of a report hold them.

A sum covers the calls that told the number; it is None when there were calls and none of them did. How many did not
is counted beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from llm_gateway.cost.money import exact

__all__ = ["SERVED", "dollars", "model_rows", "sums"]

SERVED = ("replay", "record", "live")
"""How a call can be served that was made; others found no recording, or were refused by a limit."""

Call = Mapping[str, Any]
_TOKENS = {
    "input_tokens": "input",
    "cache_read_tokens": "cache_read",
    "cache_write_tokens": "cache_write",
    "output_tokens": "output",
    "reasoning_tokens": "reasoning",
}


@exact()
def sums(calls: Iterable[Call]) -> dict[str, Any]:
    """What *calls* used and cost together; those that were not made are left out."""
    made = [call for call in calls if call["served"] in SERVED]
    asked = [call for call in made if call["is_llm"]]
    values = {name: [call[member] for call in asked] for name, member in _TOKENS.items()}
    costs = [None if call["cost"] is None else Decimal(call["cost"]) for call in asked]
    cost, waited = _known(costs, Decimal(0)), _known([call["duration_s"] for call in made], 0.0)
    return {
        "calls": len(made),
        "model_calls": len(asked),
        **{name: _known(counts, 0) for name, counts in values.items()},
        "fresh_input_tokens": _known([_fresh(call) for call in asked], 0),
        "cost_usd": None if cost is None else dollars(cost),
        "waited_s": None if waited is None else round(waited, 4),
        "unknown": {**{name: counts.count(None) for name, counts in values.items()}, "cost_usd": costs.count(None)},
    }


def _known(values: Sequence[Any], zero: Any) -> Any:
    known = [value for value in values if value is not None]
    return None if values and not known else sum(known, zero)


def _fresh(call: Call) -> int | None:
    """Input that no cache had a part in; APIs that only ever read from a cache report no writes."""
    asked: int | None = call["input"]
    if asked is None or call["cache_read"] is None:
        return None
    cached: int = call["cache_read"] + (call["cache_write"] or 0)
    return max(0, asked - cached)


def dollars(amount: Decimal) -> str:
    """An exact amount without an exponent: ``0.0000054``."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text


@exact()
def model_rows(calls: Iterable[Call]) -> list[dict[str, Any]]:
    """The sums of each model that was asked, dearest first."""
    groups: dict[tuple[str | None, str | None], list[Call]] = {}
    for call in calls:
        if call["is_llm"] and call["served"] in SERVED:
            groups.setdefault((call["provider"], call["model"]), []).append(call)
    rows = [
        {"provider": provider, "model": model, "totals": sums(group)} for (provider, model), group in groups.items()
    ]
    return sorted(rows, key=_dearest)


def _dearest(row: Mapping[str, Any]) -> tuple[Any, ...]:
    totals = row["totals"]
    return -Decimal(totals["cost_usd"] or 0), -(totals["input_tokens"] or 0), str(row["model"])

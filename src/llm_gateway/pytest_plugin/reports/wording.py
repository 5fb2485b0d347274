"""How a report says numbers: what is not known is a dash, never a nought."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from llm_gateway.cost.money import shown

__all__ = [
    "UNKNOWN",
    "cost",
    "count",
    "most",
    "number",
    "outcomes",
    "printable",
    "seconds",
    "share",
    "size",
    "sort_value",
]

UNKNOWN = "\N{EN DASH}"


def printable(words: str) -> str:
    """*words* with escapes for what steers a terminal or the direction of writing; ends of lines stay."""
    if words.isprintable():
        return words
    return "".join(sign if sign.isprintable() or sign == "\n" else ascii(sign)[1:-1] for sign in words)


def number(value: int | None) -> str:
    """``1,204``."""
    return UNKNOWN if value is None else f"{value:,}"


def cost(value: str | None) -> str:
    """``$0.0031``."""
    return UNKNOWN if value is None else shown(Decimal(value))


def seconds(value: float | None) -> str:
    """``530 ms``, ``2.5 s``, ``3 min 20 s``."""
    if value is None:
        return UNKNOWN
    if value < 0.9995:
        return "<1 ms" if 0 < value < 0.001 else f"{value * 1000:.0f} ms"
    if round(value, 1) < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s"


def count(quantity: int, noun: str) -> str:
    """``1 call``, ``1,204 calls``."""
    return f"{quantity:,} {noun}{'' if quantity == 1 else 's'}"


def outcomes(run: Mapping[str, Any]) -> str:
    """``2 failed, 6 passed``."""
    told = [f"{quantity:,} {name}" for name, quantity in reversed(run["outcomes"].items()) if quantity]
    return ", ".join(told) or "no tests"


def share(part: float, whole: float) -> str:
    """``31%``, or ``<1%`` where there is some but not much."""
    percent = 100 * part / whole
    return "<1%" if 0 < percent < 1 else f"{percent:.0f}%"


def most(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """The rows that have any of what `size` calls *name*, those with the most first."""
    some = [row for row in rows if size(row["totals"], name)]
    return sorted(some, key=lambda row: -size(row["totals"], name))


def size(sums: Mapping[str, Any], name: str) -> float:
    """One of *sums* as a length to draw and to sort by, or their ``tokens``: input and output together."""
    names = ("input_tokens", "output_tokens") if name == "tokens" else (name,)
    return sum(float(sums[one] or 0) for one in names)


def sort_value(value: str | float | None) -> Decimal:
    """A total as a number to compare by; what is not known comes last."""
    return Decimal(-1) if value is None else Decimal(str(value))

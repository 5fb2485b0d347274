"""Numbers as reports print them: an unknown one is a dash, never zero."""

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
    """Return *words* with control and invisible characters escaped; ends of lines stay."""
    if words.isprintable():
        return words
    return "".join(sign if sign.isprintable() or sign == "\n" else ascii(sign)[1:-1] for sign in words)


def number(value: int | None) -> str:
    """Return ``1,204``."""
    return UNKNOWN if value is None else f"{value:,}"


def cost(value: str | None) -> str:
    """Return ``$0.0031``."""
    return UNKNOWN if value is None else shown(Decimal(value))


def seconds(value: float | None) -> str:
    """Return ``530 ms``, ``2.5 s``, ``3 min 20 s``."""
    if value is None:
        return UNKNOWN
    if value < 0.9995:
        return "<1 ms" if 0 < value < 0.001 else f"{value * 1000:.0f} ms"
    if round(value, 1) < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s"


def count(quantity: int, noun: str) -> str:
    """Return ``1 call``, ``1,204 calls``."""
    return f"{quantity:,} {noun}{'' if quantity == 1 else 's'}"


def outcomes(run: Mapping[str, Any]) -> str:
    """Return ``2 failed, 6 passed``."""
    counts = [f"{quantity:,} {name}" for name, quantity in reversed(run["outcomes"].items()) if quantity]
    return ", ".join(counts) or "no tests"


def share(part: float, whole: float) -> str:
    """Return ``31%``, or ``<1%`` where there is some but not much."""
    percent = 100 * part / whole
    return "<1%" if 0 < percent < 1 else f"{percent:.0f}%"


def most(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Return the rows whose `size` of *name* is above zero, the largest first."""
    some = [row for row in rows if size(row["totals"], name)]
    return sorted(some, key=lambda row: -size(row["totals"], name))


def size(sums: Mapping[str, Any], name: str) -> float:
    """Return *name* of *sums* as a number to draw and to sort by; ``tokens`` is input plus output, unknown is zero."""
    names = ("input_tokens", "output_tokens") if name == "tokens" else (name,)
    return sum(float(sums[one] or 0) for one in names)


def sort_value(value: str | float | None) -> Decimal:
    """Return a total as a number to sort by; an unknown one is the smallest."""
    return Decimal(-1) if value is None else Decimal(str(value))

"""Limits on what some calls may use and cost, and what they went over. Pure."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from llm_gateway.cost.money import exact
from llm_gateway.exceptions import ConfigError
from llm_gateway.types import TokenUsage

__all__ = ["Charge", "Limits", "overruns", "table"]


@dataclass(frozen=True, slots=True)
class Charge:
    """What one call used and cost; *label* is what a reader knows it by. None is not known."""

    label: str
    usage: TokenUsage | None
    cost_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Limits:
    """
    What the calls of one test may use together; None sets no limit.

    Attributes:
        max_tokens: Input and output tokens.

        max_cost_usd: US dollars.

        max_calls: Attempts, failed ones included.

        min_cache_hit: The least share of the input that is read from a prompt cache, from 0 to 1.

        allow_unknown: Whether a call that reports no tokens, or has no known price, counts as nothing.
    """

    max_tokens: int | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    max_cost_usd: Decimal | None = None
    max_calls: int | None = None
    min_cache_hit: float | None = None
    allow_unknown: bool = False

    @classmethod
    def read(cls, given: Mapping[str, object]) -> Limits:
        """
        Limits as they were written.

        Raises:
            ConfigError: A name is not known, or a value is none that a limit can have.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        unknown = next((name for name in given if name not in names), None)
        if unknown is not None:
            near = difflib.get_close_matches(unknown, names, n=1)
            raise ConfigError(
                f"llm_budget knows no {unknown!r}",
                cause=f"did you mean {near[0]!r}?" if near else None,
                fix=f"it takes {', '.join(names)}",
            )
        values = {name: _value(name, value) for name, value in given.items() if value is not None}
        if not values.keys() - {"allow_unknown"}:
            raise ConfigError("llm_budget sets no limit", fix="for example: @pytest.mark.llm_budget(max_tokens=2000)")
        return cls(**values)  # type: ignore[arg-type]


def _value(name: str, value: object) -> object:
    if name == "allow_unknown":
        return value if isinstance(value, bool) else _refuse(name, value, "True or False")
    if name == "max_cost_usd":
        return _dollars(value)
    if name == "min_cache_hit":
        is_share = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1
        return value if is_share else _refuse(name, value, "a share above 0, up to 1")
    is_count = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return value if is_count else _refuse(name, value, "a whole number above 0")


def _dollars(value: object) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if isinstance(value, bool) or not amount.is_finite() or amount <= 0:
        _refuse("max_cost_usd", value, "US dollars above 0, such as 0.05")
    return amount


def _refuse(name: str, value: object, allowed: str) -> object:
    raise ConfigError(f"llm_budget({name}={value!r}) cannot be a limit", cause=f"it has to be {allowed}")


_Count = Callable[[TokenUsage], int | None]
_COUNTS: dict[str, tuple[str, _Count]] = {
    "max_tokens": ("tokens", lambda usage: usage.total_tokens),
    "max_input_tokens": ("input tokens", lambda usage: usage.input_tokens),
    "max_output_tokens": ("output tokens", lambda usage: usage.output_tokens),
}


@exact()
def overruns(limits: Limits, charges: Sequence[Charge]) -> list[str]:
    """One line for each limit that *charges* passed, or that cannot be held because a number is not known."""
    return [line for line in _lines(limits, charges) if line]


def _lines(limits: Limits, charges: Sequence[Charge]) -> Iterator[str]:
    if limits.max_calls is not None and len(charges) > limits.max_calls:
        yield f"{len(charges)} calls, {len(charges) - limits.max_calls} over max_calls={limits.max_calls}"
    for name, (what, count) in _COUNTS.items():
        limit = getattr(limits, name)
        if limit is not None:
            counts = [None if one.usage is None else count(one.usage) for one in charges]
            yield _sum_line(name, what, limit, counts, limits, charges)
    if limits.max_cost_usd is not None:
        yield _cost_line(limits, charges)
    if limits.min_cache_hit is not None:
        yield _cache_line(limits.min_cache_hit, limits, charges)


def _sum_line(
    name: str, what: str, limit: int, counts: list[int | None], limits: Limits, charges: Sequence[Charge]
) -> str:
    if None in counts and not limits.allow_unknown:
        return _unknown(charges[counts.index(None)], what)
    total = sum(count for count in counts if count is not None)
    return f"{total:,} {what}, {total - limit:,} over {name}={limit}" if total > limit else ""


def _cost_line(limits: Limits, charges: Sequence[Charge]) -> str:
    limit = limits.max_cost_usd or Decimal(0)
    costs = [one.cost_usd for one in charges]
    if None in costs and not limits.allow_unknown:
        return _unknown(charges[costs.index(None)], "cost")
    total = sum((cost for cost in costs if cost is not None), Decimal(0))
    return f"${total:f} spent, ${total - limit:f} over max_cost_usd={limit:f}" if total > limit else ""


def _cache_line(least: float, limits: Limits, charges: Sequence[Charge]) -> str:
    silent = next((one for one in charges if one.usage is None or one.usage.cache_read_tokens is None), None)
    if silent is not None and not limits.allow_unknown:
        return _unknown(silent, "cached input")
    usages = [one.usage for one in charges if one.usage is not None]
    asked = sum(usage.input_tokens or 0 for usage in usages)
    read = sum(usage.cache_read_tokens or 0 for usage in usages)
    share = read / asked if asked else 0.0
    return f"{share:.0%} of the input was read from the cache, below min_cache_hit={least:g}" if share < least else ""


def _unknown(charge: Charge, what: str) -> str:
    return f"{what} of {charge.label} not known; llm_budget(allow_unknown=True) counts it as nothing"


def table(charges: Sequence[Charge]) -> str:
    """The calls with their tokens and cost, one a line."""
    rows: list[tuple[str, ...]] = [("call", "input", "output", "cached", "cost")]
    for number, one in enumerate(charges, 1):
        usage = one.usage or TokenUsage()
        parts = (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens)
        cost = "?" if one.cost_usd is None else f"${one.cost_usd:f}"
        rows.append((f"#{number} {one.label}", *("?" if part is None else f"{part:,}" for part in parts), cost))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_aligned(row, widths) for row in rows)


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    label, *numbers = row
    return "  ".join(
        [label.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(numbers, widths[1:], strict=True))]
    )

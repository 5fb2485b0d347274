"""Limits on what some calls may use and cost, and what they went over. Pure."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from llm_gateway.cost.money import exact
from llm_gateway.cost.totals import Totals
from llm_gateway.exceptions import ConfigError
from llm_gateway.record import CallRecord
from llm_gateway.usage import CACHE_READ, LABELS

__all__ = ["Limits", "overruns", "table"]


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
        Read limits as they are written in a marker.

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
        return value if isinstance(value, bool) else _raise_invalid(name, value, "True or False")
    if name == "max_cost_usd":
        return _dollars(value)
    if name == "min_cache_hit":
        is_share = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1
        return value if is_share else _raise_invalid(name, value, "a share above 0, up to 1")
    is_count = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return value if is_count else _raise_invalid(name, value, "a whole number above 0")


def _dollars(value: object) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if isinstance(value, bool) or not amount.is_finite() or amount <= 0:
        _raise_invalid("max_cost_usd", value, "US dollars above 0, such as 0.05")
    return amount


def _raise_invalid(name: str, value: object, allowed: str) -> object:
    raise ConfigError(f"llm_budget({name}={value!r}) cannot be a limit", cause=f"it has to be {allowed}")


_TOKENS = {
    "max_tokens": ("tokens", "total_tokens"),
    "max_input_tokens": ("input tokens", "input_tokens"),
    "max_output_tokens": ("output tokens", "output_tokens"),
}
"""What each limit counts, in words and as a number of `Totals`."""


def overruns(limits: Limits, calls: Sequence[CallRecord]) -> list[str]:
    """Return a line for each limit that *calls* passed, or that cannot be held because a number is not known."""
    return [line for line in _lines(limits, [one for one in calls if one.is_model_call]) if line]


@exact()
def _lines(limits: Limits, calls: Sequence[CallRecord]) -> list[str]:
    totals, lines = Totals.of(calls), list[str]()
    if limits.max_calls is not None and totals.model_calls > limits.max_calls:
        over = totals.model_calls - limits.max_calls
        lines.append(f"{totals.model_calls} calls, {over} over max_calls={limits.max_calls}")
    for name, (what, number) in _TOKENS.items():
        limit = getattr(limits, name)
        if limit is not None:
            lines.append(
                _unknown(limits, calls, number, what) or _over_tokens(totals.sum_known(number), limit, name, what)
            )
    if limits.max_cost_usd is not None:
        lines.append(
            _unknown(limits, calls, "cost_usd", "cost") or _over_cost(totals.known_cost_usd, limits.max_cost_usd)
        )
    if limits.min_cache_hit is not None:
        lines.append(_unknown(limits, calls, CACHE_READ, "cached input") or _below_share(totals, limits.min_cache_hit))
    return lines


def _unknown(limits: Limits, calls: Sequence[CallRecord], number: str, what: str) -> str:
    """Return the line for the first of *calls* that did not report *number*; none where that is allowed."""
    if limits.allow_unknown:
        return ""
    label = next((one.label for one in calls if Totals.of([one]).unknown(number)), None)
    return "" if label is None else f"{what} of {label} not known; llm_budget(allow_unknown=True) counts it as nothing"


def _over_tokens(total: int, limit: int, name: str, what: str) -> str:
    return f"{total:,} {what}, {total - limit:,} over {name}={limit}" if total > limit else ""


def _over_cost(total: Decimal, limit: Decimal) -> str:
    return f"${total:f} spent, ${total - limit:f} over max_cost_usd={limit:f}" if total > limit else ""


def _below_share(totals: Totals, least: float) -> str:
    requested = totals.sum_known("input_tokens")
    share = totals.sum_known(CACHE_READ) / requested if requested else 0.0
    return f"{share:.0%} of the input was read from the cache, below min_cache_hit={least:g}" if share < least else ""


def table(calls: Sequence[CallRecord]) -> str:
    """Return the calls with their tokens and cost, one a line."""
    rows: list[tuple[str, ...]] = [("call", "input", "output", LABELS[CACHE_READ], "cost")]
    for number, one in enumerate((one.charged() for one in calls if one.is_model_call), 1):
        counts = (getattr(one.usage, name, None) for name in ("input_tokens", "output_tokens", CACHE_READ))
        cost = "?" if one.cost_usd is None else f"${one.cost_usd:f}"
        rows.append((f"#{number} {one.label}", *("?" if count is None else f"{count:,}" for count in counts), cost))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_aligned(row, widths) for row in rows)


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    label, *numbers = row
    return "  ".join(
        [label.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(numbers, widths[1:], strict=True))]
    )

"""The members of ``llm`` in a cassette, which only we write beside an exchange; anyone may have edited them since."""

from __future__ import annotations

import math
import reprlib
from dataclasses import fields
from decimal import Decimal, InvalidOperation
from typing import Any

from llm_gateway.exchange import End, Metering
from llm_gateway.types import TokenUsage

__all__ = ["end_from", "metering_from", "metering_to"]

_COUNTS = frozenset(part.name for part in fields(TokenUsage)) - {"service_tier"}
_MOST_TOKENS = 10**15  # sums of them still fit the 64 bits of a ledger
_MOST_USD = 10**9
_MOST_PARTS = 200  # of a price row: aliases let a line of YAML stand for gigabytes
_LONGEST = 200


def end_from(ours: dict[str, Any]) -> End:
    """How the exchange ended."""
    end = ours.get("end", "complete")
    if end not in ("complete", "partial", "error"):
        raise _wrong("end", end, "complete, partial or error was")
    known: End = end
    return known


def metering_from(ours: dict[str, Any]) -> Metering | None:
    """
    The usage and price that an entry carries, or None when it carries none.

    Raises:
        ValueError: A member is not what `metering_to` writes; names it.
    """
    if "provider" not in ours:
        return None
    names = ("provider", "api", "model_requested", "model_served")
    return Metering(
        **{name: _text(name, ours.get(name)) for name in names},
        usage=_usage(ours.get("usage")),
        cost_usd=_cost(ours.get("cost_usd")),
        price=_price(ours.get("price")),
    )


def _wrong(member: str, value: object, expected: str) -> ValueError:
    return ValueError(f"`llm.{member}` is {_said(value)}; {expected} expected")


def _said(value: object) -> str:
    """*value* briefly; what may be without end, as a list of itself or a number of megabytes, by its kind."""
    if isinstance(value, int) and abs(value) >= 10**30:
        return "a number of more than 30 digits"
    return reprlib.repr(value) if isinstance(value, str | int | float) else f"a {type(value).__name__}"


def _text(member: str, value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise _wrong(member, value, "a text was")


def _usage(members: object) -> TokenUsage | None:
    if not members:
        return None
    if not isinstance(members, dict):
        raise _wrong("usage", members, "a mapping was")
    return TokenUsage(**{name: _part(name, value) for name, value in members.items()})


def _part(name: object, value: object) -> Any:
    if name == "service_tier":
        return _text("usage.service_tier", value)
    if name not in _COUNTS:
        raise ValueError(f"`llm.usage` has {_said(name)}; it can have {', '.join(sorted(_COUNTS))}, service_tier")
    if type(value) is not int or not 0 <= value <= _MOST_TOKENS:
        raise _wrong(f"usage.{name}", value, f"a whole number from 0 to {_MOST_TOKENS:,} was")
    return value


def _cost(value: object) -> Decimal | None:
    if value is None:
        return None
    cost = _decimal(value)
    if cost is None or not 0 <= cost <= _MOST_USD:
        raise _wrong("cost_usd", value, f"US dollars from 0 to {_MOST_USD:,} were")
    return cost


def _decimal(value: object) -> Decimal | None:
    """The number, where it is finite and can be written out without its exponent."""
    if not isinstance(value, str | int | float) or (isinstance(value, int) and abs(value) > _MOST_USD):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    _, digits, exponent = number.as_tuple()
    return number if isinstance(exponent, int) and -60 <= exponent <= 12 and len(digits) <= 60 else None


def _price(value: object) -> dict[str, object] | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not _is_plain(value):
        raise _wrong("price", value, f"a mapping of at most {_MOST_PARTS} short texts and numbers was")
    return value


def _is_plain(row: dict[Any, Any]) -> bool:
    rest: list[Any] = [row]
    for _ in range(_MOST_PARTS):
        if not rest:
            return True
        one = rest.pop()
        if not isinstance(one, dict | list):
            if not _is_leaf(one):
                return False
        elif len(one) > _MOST_PARTS or (isinstance(one, dict) and not all(isinstance(name, str) for name in one)):
            return False
        else:
            rest += one.values() if isinstance(one, dict) else one
    return not rest


def _is_leaf(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= _LONGEST
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, int) and abs(value) <= _MOST_TOKENS)


def metering_to(metering: Metering | None) -> dict[str, Any]:
    """The members that `metering_from` reads; what is unknown is left out, and a usage of None stays visible."""
    if metering is None:
        return {}
    usage = metering.usage
    known = {
        "provider": metering.provider,
        "api": metering.api,
        "model_requested": metering.model_requested,
        "model_served": metering.model_served,
        "usage": usage and {name: getattr(usage, name) for name in usage.__slots__ if getattr(usage, name) is not None},
        "cost_usd": None if metering.cost_usd is None else str(metering.cost_usd),
        "price": metering.price,
    }
    return {name: value for name, value in known.items() if value is not None or name in ("provider", "usage")}

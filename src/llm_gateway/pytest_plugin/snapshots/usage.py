"""Numbers of tokens and dollars that are near enough to what is stored."""

from __future__ import annotations

import re
from decimal import Decimal

__all__ = ["settled"]

_LINE = re.compile(r"(?P<name>\s*(?:- )*\w+): (?:<decimal )?(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)>?")
_USAGE = re.compile(r"(?!.*max)(?:.*tokens|.*token_?count(?:s)?|(?:prompt_)?eval_count|.*cost_usd)", re.IGNORECASE)


def settled(received: str, stored: str, tolerance: float) -> str:
    """*received* with the stored line in the place of each line of usage that is within *tolerance* of it."""
    ours, theirs = received.split("\n"), stored.split("\n")
    if not tolerance or len(ours) != len(theirs):
        return received
    return "\n".join(old if _is_near(new, old, tolerance) else new for new, old in zip(ours, theirs, strict=True))


def _is_near(new: str, old: str, tolerance: float) -> bool:
    left, right = _LINE.fullmatch(new), _LINE.fullmatch(old)
    if left is None or right is None or left["name"] != right["name"]:
        return False
    if not _USAGE.fullmatch(left["name"].lstrip(" -")):
        return False
    ours, theirs = Decimal(left["number"]), Decimal(right["number"])
    return abs(ours - theirs) <= Decimal(str(tolerance)) * theirs

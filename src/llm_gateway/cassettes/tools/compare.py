"""Two recordings of the same cassette: which exchanges belong together, and what has changed in them. Pure."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from llm_gateway.cassettes.diagnosis import differences
from llm_gateway.cassettes.tools.summary import COUNTS, FACTS, Facts
from llm_gateway.cost.totals import Totals
from llm_gateway.exchange import HttpExchange

__all__ = ["Change", "Pair", "compare", "summed", "totals"]


@dataclass(frozen=True, slots=True)
class Change:
    """A fact before and after. ``None`` is unknown, and so is every difference from it."""

    name: str
    old: Any
    new: Any

    @property
    def difference(self) -> int | Decimal | None:
        """New minus old, for a fact that is a sum of something."""
        if self.name not in (*COUNTS, "exchanges") or self.old is None or self.new is None:
            return None
        change: int | Decimal = self.new - self.old
        return change

    @property
    def percent(self) -> float | None:
        """The difference in hundredths of the old value; None where that is 0."""
        if self.difference is None or not self.old:
            return None
        return round(float(self.difference) / float(self.old) * 100, 1)


@dataclass(frozen=True, slots=True)
class Pair:
    """An exchange before and after; None on the side that does not have it. *request_changes* are paths."""

    old: Facts | None
    new: Facts | None
    request_changes: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def change(self) -> str | None:
        """``added``, ``removed``, ``changed``, or None where both sides are the same."""
        if self.old is None:
            return "added"
        if self.new is None:
            return "removed"
        return "changed" if self.request_changes or self.changes else None


def compare(old: Sequence[Facts], new: Sequence[Facts]) -> list[Pair]:
    """
    Pair exchanges with equal requests; then, in order, the rest of each API, whose requests have changed.

    Equal requests belong together in the order in which they were recorded.
    """
    pairs, left_old, left_new = _matched(old, new, lambda one: one.key)
    by_order, left_old, left_new = _matched(left_old, left_new, lambda one: (one.kind, one.api))
    pairs += by_order
    pairs += [Pair(one, None) for one in left_old] + [Pair(None, one) for one in left_new]
    return sorted(pairs, key=_place)


def _matched(old: Iterable[Facts], new: Iterable[Facts], by: Any) -> tuple[list[Pair], list[Facts], list[Facts]]:
    waiting: dict[Hashable, deque[Facts]] = defaultdict(deque)
    for one in old:
        waiting[by(one)].append(one)
    pairs: list[Pair] = []
    left: list[Facts] = []
    for one in new:
        if same := waiting[by(one)]:
            pairs.append(_pair(same.popleft(), one))
        else:
            left.append(one)
    return pairs, sorted((one for rest in waiting.values() for one in rest), key=_order), left


def _pair(old: Facts, new: Facts) -> Pair:
    changes = (Change(name, old.values[name], new.values[name]) for name in FACTS)
    changed = tuple(one for one in changes if one.old != one.new)
    return Pair(old, new, () if old.key == new.key else _request_changes(old, new), changed)


def _request_changes(old: Facts, new: Facts) -> tuple[str, ...]:
    """Return the paths where the requests differ; for a run of a command, one text."""
    before, after = old.exchange, new.exchange
    if not (isinstance(before, HttpExchange) and isinstance(after, HttpExchange)):
        return ("arguments or input",)
    return tuple(one.path for one in differences(after.request, before.request)) or ("body",)


def _order(one: Facts) -> tuple[str, int]:
    return one.kind, one.index


def _place(pair: Pair) -> tuple[str, int, bool]:
    one = pair.new or pair.old
    return (*_order(one), pair.new is None) if one else ("", 0, False)


def totals(old: Sequence[Facts], new: Sequence[Facts]) -> list[Change]:
    """Return the number of exchanges and the sum of each count; a sum with an unknown part is unknown."""
    before, after = summed(old), summed(new)
    sums = [Change(name, before.total(name), after.total(name)) for name in COUNTS]
    return [Change("exchanges", len(old), len(new)), *sums]


def summed(facts: Iterable[Facts]) -> Totals:
    """Return the sums of *facts*."""
    return Totals.of(one.record for one in facts)

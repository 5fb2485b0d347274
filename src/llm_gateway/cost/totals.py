"""
Sums of calls, by one rule: what is known is added up, and what is not is counted, number by number.

An unbilled call used nothing and cost nothing, and that is known. A request to no model has no tokens
and no cost, and calls that were not made (no recording, or refused by a limit) are in no sum. Everything that adds up
calls goes through here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from llm_gateway.cost.money import exact
from llm_gateway.record import CallRecord
from llm_gateway.usage import COUNTS, TokenUsage

__all__ = ["NUMBERS", "Totals"]

NUMBERS = (*COUNTS, "total_tokens", "fresh_input_tokens", "cost_usd")
"""What is added up over calls to models."""
_PLACE = {name: place for place, name in enumerate(NUMBERS)}
_TOKENS = NUMBERS[:-1]
_ZEROS: tuple[Any, ...] = (*(0 for _ in _TOKENS), Decimal(0))
_NONE_KNOWN: tuple[int, ...] = (0,) * len(NUMBERS)
_MICRO = 1_000_000
_NO_COUNTS = (None,) * len(_TOKENS)
_counts_of = operator.attrgetter(*_TOKENS)


@dataclass(frozen=True, slots=True)
class Totals:
    """
    Sums of some calls; ``Totals()`` is the sum of none, and ``+`` joins two.

    Attributes:
        calls: Calls that were made, to models and to others.

        model_calls: Those to a model; only these have tokens and a cost.

        billed_calls: Those of them that may have cost anything.

        failed_calls: Those of them that ended with an error.

        timed_calls: Calls of which the duration is known; *waited_us* is their sum, in microseconds.

        tiers: The service tiers of the billed calls.

        sums: The sums of the known numbers, in the order of `NUMBERS`.

        known: How many model calls reported each number.
    """

    calls: int = 0
    model_calls: int = 0
    billed_calls: int = 0
    failed_calls: int = 0
    timed_calls: int = 0
    waited_us: int = 0
    tiers: frozenset[str | None] = frozenset()
    sums: tuple[Any, ...] = _ZEROS
    known: tuple[int, ...] = _NONE_KNOWN

    @classmethod
    @exact()
    def of(cls, records: Iterable[CallRecord]) -> Totals:
        """Return the sums of *records*."""
        calls = models = failed = free = timed = waited_us = 0
        sums: list[Any] = list(_ZEROS)
        known, tiers = list[int](_NONE_KNOWN), set[str | None]()
        for record in records:
            if not record.is_made:
                continue
            calls += 1
            if record.duration_s is not None:
                timed, waited_us = timed + 1, waited_us + round(record.duration_s * _MICRO)
            if record.api is None:
                continue
            models, failed = models + 1, failed + (record.error is not None)
            if not record.is_billed:
                free += 1  # known to have used nothing
                continue
            tiers.add(record.usage.service_tier if record.usage is not None else None)
            for place, number in enumerate(_numbers(record)):
                if number is not None:
                    sums[place] += number
                    known[place] += 1
        known = [count + free for count in known] if free else known
        counts = (calls, models, models - free, failed, timed, waited_us)
        return cls(*counts, frozenset(tiers), tuple(sums), tuple(known))

    @classmethod
    def of_groups(cls, *, calls: int, failed_calls: int, sums: Mapping[str, Any], known: Mapping[str, int]) -> Totals:
        """Return sums that were made elsewhere, as in a database; *calls* are all to models, and all billed."""
        total = sums["input_tokens"] + sums["output_tokens"]
        reported = {**known, "total_tokens": min(known["input_tokens"], known["output_tokens"])}
        return cls(
            calls=calls,
            model_calls=calls,
            billed_calls=calls,
            failed_calls=failed_calls,
            sums=tuple({**sums, "total_tokens": total}.get(name, 0) for name in NUMBERS),
            known=tuple(reported.get(name, 0) for name in NUMBERS),
        )

    def __add__(self, other: Totals) -> Totals:
        return self._combined(operator.add, other, self.tiers | other.tiers)

    def __sub__(self, other: Totals) -> Totals:
        """Return what is left without *other*, which is a part of this."""
        return self._combined(operator.sub, other, self.tiers)

    def _combined(self, combine: Callable[[Any, Any], Any], other: Totals, tiers: frozenset[str | None]) -> Totals:
        with exact():
            sums = tuple(map(combine, self.sums, other.sums))
        return Totals(
            combine(self.calls, other.calls),
            combine(self.model_calls, other.model_calls),
            combine(self.billed_calls, other.billed_calls),
            combine(self.failed_calls, other.failed_calls),
            combine(self.timed_calls, other.timed_calls),
            combine(self.waited_us, other.waited_us),
            tiers,
            sums,
            tuple(map(combine, self.known, other.known)),
        )

    def unknown(self, name: str) -> int:
        """Return how many model calls did not report the number *name* of `NUMBERS`."""
        return self.model_calls - self.known[_PLACE[name]]

    def sum_known(self, name: str) -> Any:
        """Return the sum of what is known, 0 where nothing is."""
        return self.sums[_PLACE[name]]

    def partial(self, name: str) -> Any:
        """Return the sum of what is known; None where there were billed calls and none of them reported it."""
        place = _PLACE[name]
        free = self.model_calls - self.billed_calls  # known to be nothing, which states no number
        return None if self.billed_calls and self.known[place] == free else self.sums[place]

    def total(self, name: str) -> Any:
        """Return the sum; None where a call did not report its part."""
        return None if self.unknown(name) else self.sums[_PLACE[name]]

    @property
    def usage(self) -> TokenUsage | None:
        """Tokens, each count None where a billed call did not report it; None where nothing was billed or is known."""
        if not self.billed_calls:
            return None
        pairs = zip(COUNTS, self.sums, self.known, strict=False)  # behind the counts there are sums of another kind
        counts: dict[str, Any] = {name: one if known == self.model_calls else None for name, one, known in pairs}
        if set(counts.values()) == {None}:
            return None
        return TokenUsage(**counts, service_tier=next(iter(self.tiers)) if len(self.tiers) == 1 else None)

    @property
    def known_usage(self) -> TokenUsage:
        """Tokens, each count over the calls that reported it; None where none did."""
        counts: dict[str, Any] = {name: self.partial(name) for name in COUNTS if self.known[_PLACE[name]]}
        return TokenUsage(**counts)

    @property
    def cost_usd(self) -> Decimal | None:
        """US dollars; None where the cost of a billed call is not known."""
        cost: Decimal | None = self.total("cost_usd")
        return cost

    @property
    def known_cost_usd(self) -> Decimal:
        """US dollars of the calls whose cost is known."""
        cost: Decimal = self.sums[-1]
        return cost

    @property
    def waited_s(self) -> float | None:
        """Seconds that the providers took; None where there were calls and of none that is known."""
        return None if self.calls and not self.timed_calls else self.waited_us / _MICRO


def _numbers(record: CallRecord) -> tuple[Any, ...]:
    """Return the numbers of *record*, in the order of `NUMBERS`."""
    return (*(_NO_COUNTS if record.usage is None else _counts_of(record.usage)), record.cost_usd)

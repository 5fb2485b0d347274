"""Sums over entries of a ledger, exact, with how many entries each part is known of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from llm_gateway.cost.ledger.columns import NUMBERS, PARTS
from llm_gateway.cost.money import exact
from llm_gateway.types import TokenUsage

__all__ = ["Sums"]

_PLACE = {name: place for place, name in enumerate(NUMBERS)}
_PICO = Decimal(10) ** 12


@dataclass(frozen=True, slots=True)
class Sums:
    """Whole numbers in the order of NUMBERS, one column each."""

    numbers: tuple[int, ...] = (0,) * len(NUMBERS)

    def __add__(self, other: Sums) -> Sums:
        return Sums(tuple(map(int.__add__, self.numbers, other.numbers)))

    def __sub__(self, other: Sums) -> Sums:
        return Sums(tuple(map(int.__sub__, self.numbers, other.numbers)))

    @classmethod
    def total(cls, sums: Iterable[Sums]) -> Sums:
        """All *sums* together."""
        return sum(sums, start=cls())

    def __getitem__(self, name: str) -> int:
        return self.numbers[_PLACE[name]]

    @property
    def usage(self) -> TokenUsage:
        """Each part over the entries that report it; None where none does."""
        known: dict[str, Any] = {part: self[part] for part in PARTS if self[f"{part}_known"]}
        return TokenUsage(**known)

    @property
    @exact()
    def cost_usd(self) -> Decimal | None:
        """The cost of the entries whose cost is known; None where none is."""
        if not self["cost_known"]:
            return None
        return Decimal(self["cost_micro"] * 10**6 + self["cost_rest"]) / _PICO

    @property
    def unknown(self) -> dict[str, int]:
        """How many entries do not tell a part; the parts that all of them tell are left out."""
        missing = {part: self["calls"] - self[f"{part}_known"] for part in PARTS}
        missing["cost_usd"] = self["calls"] - self["cost_known"]
        return {name: count for name, count in missing.items() if count}

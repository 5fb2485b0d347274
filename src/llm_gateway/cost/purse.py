"""Money that several callers spend under one limit: held before a call, settled after it."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from llm_gateway.cost.money import exact

__all__ = ["Held", "MemoryPurse", "Purse", "Short"]


@dataclass(frozen=True, slots=True)
class Held:
    """Money that is held for one call, until `Purse.settle` is told what it cost."""

    id: str
    amount_usd: Decimal


@dataclass(frozen=True, slots=True)
class Short:
    """Nothing is held, for it would pass the limit: what is spent and what is held for others."""

    spent_usd: Decimal
    held_usd: Decimal


class Purse(Protocol):
    """
    Where spending is counted. `hold` and `settle` are atomic, whoever else uses the purse.

    What is spent and held never passes the limit, as long as no call costs more than what was held for it.
    """

    def hold(self, amount_usd: Decimal, limit_usd: Decimal) -> Held | Short:
        """Hold *amount_usd*, unless it would take spent and held money past *limit_usd*."""
        ...

    def settle(self, held: Held, cost_usd: Decimal | None) -> None:
        """Take *held* back and count what the call cost; unknown costs count as all that was held. Once a call."""
        ...

    def spent(self) -> tuple[Decimal, Decimal]:
        """US dollars that are spent, and that are held."""
        ...


class MemoryPurse:
    """A purse of one process, shared by its threads and tasks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spent = Decimal(0)
        self._held: dict[str, Decimal] = {}

    @exact()
    def hold(self, amount_usd: Decimal, limit_usd: Decimal) -> Held | Short:
        """See `Purse.hold`."""
        with self._lock:
            held = sum(self._held.values(), Decimal(0))
            if self._spent + held + amount_usd > limit_usd:
                return Short(self._spent, held)
            lease = Held(uuid.uuid4().hex, amount_usd)
            self._held[lease.id] = amount_usd
            return lease

    @exact()
    def settle(self, held: Held, cost_usd: Decimal | None) -> None:
        """See `Purse.settle`."""
        with self._lock:
            if self._held.pop(held.id, None) is not None:
                self._spent += held.amount_usd if cost_usd is None else cost_usd

    @exact()
    def spent(self) -> tuple[Decimal, Decimal]:
        """See `Purse.spent`."""
        with self._lock:
            return self._spent, sum(self._held.values(), Decimal(0))

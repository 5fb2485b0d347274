"""Money that several callers spend under one limit: reserved before a call, settled after it."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from llm_gateway.cost.money import exact

__all__ = ["InsufficientBudget", "MemoryReservations", "Reservation", "Reservations"]


@dataclass(frozen=True, slots=True)
class Reservation:
    """Money that is reserved for one call, until `Reservations.settle` gets its cost."""

    id: str
    amount_usd: Decimal


@dataclass(frozen=True, slots=True)
class InsufficientBudget:
    """The answer where a reservation would pass the limit: what is spent, and what is reserved for others."""

    spent_usd: Decimal
    reserved_usd: Decimal


class Reservations(Protocol):
    """
    The count of what is spent and reserved. `reserve` and `settle` are atomic between processes.

    The sum never passes the limit, as long as no call costs more than what was reserved for it.
    """

    def reserve(self, amount_usd: Decimal, limit_usd: Decimal) -> Reservation | InsufficientBudget:
        """Reserve *amount_usd*, unless that would take spent and reserved money past *limit_usd*."""
        ...

    def settle(self, reservation: Reservation, cost_usd: Decimal | None) -> None:
        """End *reservation* and count what the call cost; an unknown cost counts as all of it. Once a call."""
        ...

    def spent(self) -> tuple[Decimal, Decimal]:
        """Return the US dollars that are spent, and those that are reserved."""
        ...


class MemoryReservations:
    """The reservations of one process, shared by its threads and tasks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spent = Decimal(0)
        self._reserved: dict[str, Decimal] = {}

    @exact()
    def reserve(self, amount_usd: Decimal, limit_usd: Decimal) -> Reservation | InsufficientBudget:
        """See `Reservations.hold`."""
        with self._lock:
            reserved = sum(self._reserved.values(), Decimal(0))
            if self._spent + reserved + amount_usd > limit_usd:
                return InsufficientBudget(self._spent, reserved)
            made = Reservation(uuid.uuid4().hex, amount_usd)
            self._reserved[made.id] = amount_usd
            return made

    @exact()
    def settle(self, reservation: Reservation, cost_usd: Decimal | None) -> None:
        """See `Reservations.settle`."""
        with self._lock:
            if self._reserved.pop(reservation.id, None) is not None:
                self._spent += reservation.amount_usd if cost_usd is None else cost_usd

    @exact()
    def spent(self) -> tuple[Decimal, Decimal]:
        """See `Reservations.spent`."""
        with self._lock:
            return self._spent, sum(self._reserved.values(), Decimal(0))

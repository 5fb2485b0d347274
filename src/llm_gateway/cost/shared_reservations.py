"""Reservations in a file, shared by processes of one machine; those of a process that died count as spent."""

from __future__ import annotations

import os
import sqlite3
import threading
import uuid
from collections.abc import Generator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

from llm_gateway.cost.money import exact
from llm_gateway.cost.reservation import InsufficientBudget, Reservation

__all__ = ["SharedReservations"]

_PATIENCE_S = 30.0
_SCALE = 12  # whole numbers of a millionth of a millionth of a dollar: sums are exact
_MOST_USD = Decimal(10**6)
"""More than any call costs, and few enough to fit into the 64 bits of the file."""
_MICRO = 10**6  # sums are of two halves, for one of picodollars would not fit
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS settled (cost INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS reserved (id TEXT PRIMARY KEY, pid INTEGER NOT NULL, amount INTEGER NOT NULL)",
)


class SharedReservations:
    """Reservations in the SQLite file *path*, which is made if need be; see `llm_gateway.cost.reservation`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        with self._transaction() as database:
            for statement in _SCHEMA:
                database.execute(statement)

    def _connected(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=_PATIENCE_S, isolation_level=None)

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        """Allow one process at a time, so that a sum is still true when it is acted on."""
        with self._lock, closing(self._connected()) as database:
            # What was written outlives a killed process all the same, and no run of tests outlives its machine.
            database.execute("PRAGMA synchronous = OFF")
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")

    @exact()
    def reserve(self, amount_usd: Decimal, limit_usd: Decimal) -> Reservation | InsufficientBudget:
        """See `Reservations.hold`."""
        with self._transaction() as database:
            _settle_for_the_dead(database)
            spent, reserved = _sums(database)
            if spent + reserved + amount_usd > limit_usd:
                return InsufficientBudget(spent, reserved)
            made = Reservation(uuid.uuid4().hex, amount_usd)
            database.execute("INSERT INTO reserved VALUES (?, ?, ?)", (made.id, os.getpid(), _whole(amount_usd)))
            return made

    @exact()
    def settle(self, reservation: Reservation, cost_usd: Decimal | None) -> None:
        """See `Reservations.settle`."""
        cost = reservation.amount_usd if cost_usd is None else cost_usd
        with self._transaction() as database:
            if database.execute("DELETE FROM reserved WHERE id = ?", (reservation.id,)).rowcount:
                database.execute("INSERT INTO settled VALUES (?)", (_whole(cost),))

    @exact()
    def spent(self) -> tuple[Decimal, Decimal]:
        """See `Reservations.spent`."""
        with self._transaction() as database:
            return _sums(database)


def _sums(database: sqlite3.Connection) -> tuple[Decimal, Decimal]:
    settled, reserved = (
        f"SELECT coalesce(sum({column} / {_MICRO}), 0), coalesce(sum({column} % {_MICRO}), 0) FROM {table}"  # noqa: S608 - constants
        for column, table in (("cost", "settled"), ("amount", "reserved"))
    )
    return _total(database, settled), _total(database, reserved)


def _total(database: sqlite3.Connection, query: str) -> Decimal:
    micro, rest = database.execute(query).fetchone()
    return _dollars(micro * _MICRO + rest)


def _whole(amount_usd: Decimal) -> int:
    """Return whole picodollars, rounded up, so that never less is counted than was spent."""
    whole, rest = divmod(min(amount_usd, _MOST_USD).scaleb(_SCALE), 1)
    return int(whole) + (rest > 0)


def _dollars(whole: int) -> Decimal:
    return Decimal(whole).scaleb(-_SCALE)


def _settle_for_the_dead(database: sqlite3.Connection) -> None:
    """Count the reservations of dead processes as spent: their calls may have been answered."""
    pids = [pid for (pid,) in database.execute("SELECT DISTINCT pid FROM reserved")]
    for pid in pids:
        if not _is_alive(pid):
            database.execute("INSERT INTO settled SELECT amount FROM reserved WHERE pid = ?", (pid,))
            database.execute("DELETE FROM reserved WHERE pid = ?", (pid,))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True

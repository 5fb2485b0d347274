"""Entries on their way to a ledger: what cannot be written now is kept and written with what comes next."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from llm_gateway.cost.ledger.base import Ledger
from llm_gateway.cost.ledger.entry import Entry
from llm_gateway.exceptions import LedgerError

__all__ = ["Outbox"]

_log = logging.getLogger("llm_gateway.ledger")


class Outbox:
    """
    Appends to a ledger from any thread, and never fails a call for it.

    Args:
        opened: Opens the ledger; tried again with each entry while it raises.

        rescue: The file of a ledger that takes in what could not be written until the end.
    """

    def __init__(self, opened: Callable[[], Ledger], rescue: Path) -> None:
        self._opened = opened
        self._ledger: Ledger | None = None
        self._rescue = rescue
        self._lock = threading.Lock()
        self._waiting: list[Entry] = []
        self._has_told = False

    def add(self, entries: Iterable[Entry]) -> None:
        """Append *entries*, after those that wait; that the ledger is away is told once."""
        with self._lock:
            self._waiting += entries
            error = self._write()
            is_news, self._has_told = error is not None and not self._has_told, error is not None
        if is_news:
            _log.warning("%s\n  entries are kept, and written when that is over", error)

    def _write(self) -> LedgerError | None:
        try:
            if self._ledger is None:
                self._ledger = self._opened()
            self._ledger.append(self._waiting)
        except LedgerError as error:
            return error
        self._waiting = []
        return None

    def close(self) -> str | None:
        """Write what waits and close the ledger; what could not be written goes to a file, which the text names."""
        with self._lock:
            error = self._write() if self._waiting else None
            text = None if error is None else self._rescued(error)
            if self._ledger is not None:
                self._ledger.close()
                self._ledger = None
        return text

    def _rescued(self, error: LedgerError) -> str:
        from llm_gateway.cost.ledger import open_ledger

        count = len(self._waiting)
        place = open_ledger(self._rescue)
        try:
            place.append(self._waiting)
        finally:
            place.close()
        self._waiting = []
        return (
            f"{error.report}\n  {count} entries are in {self._rescue} instead\n"
            f"  to move them: llm-gateway usage --ledger {self._rescue.name} --copy-to WHERE"
        )

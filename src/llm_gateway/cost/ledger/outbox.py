"""Entries on their way to a ledger: what cannot be written now is kept and written with what comes next."""

from __future__ import annotations

import json
import logging
import shlex
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from llm_gateway.cost.ledger.base import Ledger
from llm_gateway.cost.ledger.entry import Entry
from llm_gateway.exceptions import LedgerError

__all__ = ["Outbox", "rescued"]

_log = logging.getLogger("llm_gateway.ledger")
_LONGEST_REST_S = 60.0
_LAST_WAIT_S = 6.0
"""At the end: longer than a ledger waits for a server or for other writers."""


class Outbox:
    """
    Appends to a ledger from any thread, and never fails a call for it.

    A call waits until its entry is written, so that a killed process loses none. One that finds the ledger away waits
    once for *patience_s*; after that the ledger is tried in the background, until it is back.

    Args:
        opened: Opens the ledger; tried again while it raises.

        rescue: The file of a ledger that takes in what could not be written until the end.

        rest_s: How long a ledger is left alone that failed; twice as long each time, up to a minute.
    """

    def __init__(
        self, opened: Callable[[], Ledger], rescue: Path, *, patience_s: float = 1.0, rest_s: float = 10.0
    ) -> None:
        self._opened = opened
        self._ledger: Ledger | None = None
        self._rescue = rescue
        self._patience_s = patience_s
        self._first_rest_s = self._rest_s = rest_s
        self._rests_until = 0.0
        self._lock = threading.Lock()  # of what follows; never held while the ledger is waited for
        self._waiting: list[Entry] = []
        self._writer: threading.Thread | None = None
        self._fault: LedgerError | None = None

    def add(self, entries: Iterable[Entry]) -> None:
        """Append *entries*, after those that wait; an unreachable ledger is logged once."""
        with self._lock:
            self._waiting += entries
            is_resting = time.monotonic() < self._rests_until
            writer = None if is_resting else self._at_work()
            is_away = self._fault is not None
        if writer is not None and not is_away:
            self._wait(writer, self._patience_s)

    def _at_work(self) -> threading.Thread | None:
        """Return the thread that writes; None where the process has no more threads to give, as at its end."""
        # a thread is not alive in a forked child, which then begins one of its own
        if self._writer is None or not self._writer.is_alive():
            self._writer = threading.Thread(target=self._write, name="llm-ledger", daemon=True)
            try:
                self._writer.start()
            except RuntimeError:
                self._writer = None
        return self._writer

    def _wait(self, writer: threading.Thread, seconds: float) -> None:
        writer.join(seconds)
        if writer.is_alive():
            self._blame(LedgerError(f"the ledger has not answered for {seconds:g} s"))

    def _write(self) -> None:
        while batch := self._batch():
            try:
                if self._ledger is None:
                    self._ledger = self._opened()
                self._ledger.append(batch)
            except Exception as error:  # noqa: BLE001 - no call fails for its ledger, whatever that does
                self._give_up(error)
                return
            self._written(batch)

    def _batch(self) -> list[Entry]:
        with self._lock:
            if not self._waiting:
                self._writer = None  # here, so that no caller relies on a thread that is about to end
            return list(self._waiting)

    def _written(self, batch: list[Entry]) -> None:
        done = {entry.id for entry in batch}
        with self._lock:
            self._waiting = [entry for entry in self._waiting if entry.id not in done]
            self._fault, self._rest_s = None, self._first_rest_s

    def _give_up(self, error: Exception) -> None:
        with self._lock:
            self._writer = None
            self._rests_until = time.monotonic() + self._rest_s
            self._rest_s = min(2 * self._rest_s, _LONGEST_REST_S)
        if not isinstance(error, LedgerError):
            error = LedgerError(f"the ledger cannot be used: {type(error).__name__}")
        self._blame(error)

    def _blame(self, error: LedgerError) -> None:
        with self._lock:
            is_news, self._fault = self._fault is None, error
        if is_news:
            _log.warning("%s\n  entries are kept, and written when that is over", error)

    def close(self) -> str | None:
        """Write what waits and close the ledger; return the text that names where unwritten entries are, or None."""
        with self._lock:
            writer = self._at_work() if self._waiting else None
        if writer is not None:
            self._wait(writer, _LAST_WAIT_S)
        with self._lock:
            left, self._waiting, error = self._waiting, [], self._fault
            if self._ledger is not None and not (writer and writer.is_alive()):
                self._ledger.close()
                self._ledger = None
        why = f"{error.report}\n" if error else ""
        return f"{why}{rescued(left, self._rescue)}" if left else None


def rescued(entries: Sequence[Entry], file: Path) -> str:
    """
    Keep *entries* in *file*, else in the temporary folder, else in the text itself.

    Returns:
        Where they are, and what to do with them.
    """
    for place in _places(file):
        try:
            _keep(entries, place)
        except LedgerError:
            continue
        return (
            f"  {len(entries)} entries are in {place} instead\n"
            f"  to move them: llm-gateway usage --ledger {shlex.quote(str(place))} --copy-to WHERE"
        )
    lines = "\n".join(json.dumps(asdict(entry), default=str) for entry in entries)
    return f"  {len(entries)} entries found no place in a file either; here they are:\n{lines}"


def _places(file: Path) -> Iterator[Path]:
    yield file
    try:
        folder = tempfile.mkdtemp(prefix="llm-ledger-rescue-")
    except OSError:
        return
    yield Path(folder) / file.name


def _keep(entries: Sequence[Entry], place: Path) -> None:
    from llm_gateway.cost.ledger import open_ledger

    ledger = open_ledger(place)
    try:
        ledger.append(entries)
    finally:
        ledger.close()

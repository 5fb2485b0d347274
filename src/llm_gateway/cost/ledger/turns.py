"""One connection a process, handed to one thread at a time."""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from llm_gateway.exceptions import LedgerError

__all__ = ["Turns"]


class Closable(Protocol):
    """What a connection of any database can do."""

    def close(self) -> None:
        """Give it back."""
        ...


C = TypeVar("C", bound=Closable)
_all: weakref.WeakSet[Turns[Closable]] = weakref.WeakSet()


class Turns(Generic[C]):
    """
    Threads take turns at one connection, which is made when it is first needed.

    A child process makes its own: a connection that two processes use is broken for both.
    """

    def __init__(self, name: str, connect: Callable[[], C]) -> None:
        self._name = name
        self._connect = connect
        self._connection: C | None = None
        self._lock = threading.Lock()
        self._is_closed = False
        self._left_to_parent: list[C] = []
        _all.add(self)  # type: ignore[arg-type]

    @contextmanager
    def take(self, until: float) -> Generator[C, None, None]:
        """
        Yield the connection, to one thread at a time, waiting for it no longer than *until* on the monotonic clock.

        Raises:
            LedgerError: Other threads kept it for so long, or the ledger is closed.
        """
        if not self._lock.acquire(timeout=max(0.0, until - time.monotonic())):
            raise LedgerError(f"{self._name} is busy", cause="other threads of this process waited for it all the time")
        try:
            if self._is_closed:
                raise LedgerError(f"{self._name} was closed", fix="open it again: open_ledger(...)")
            if self._connection is None:
                self._connection = self._connect()
            yield self._connection
        finally:
            self._lock.release()

    def drop(self) -> None:
        """Close the connection of the current turn; the next turn makes another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Close the connection for good, once its current turn is over."""
        with self._lock:
            self._is_closed = True
            self.drop()

    def after_fork(self) -> None:
        """Start afresh in a child, and keep the parent's connection from being closed here."""
        if self._connection is not None:
            self._left_to_parent.append(self._connection)
        self._connection = None
        self._lock = threading.Lock()


def _after_fork() -> None:
    for turns in list(_all):
        turns.after_fork()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_after_fork)

"""A store in one SQLite file, for any number of threads and processes of one machine."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

__all__ = ["SQLiteStore"]

_TABLE = """
CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, ends REAL NOT NULL, value BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS answers_ends ON answers (ends);
"""


class SQLiteStore:
    """
    Values in the file *path*, which is made when it is first needed, readable by its owner alone.

    Args:
        path: The file; SQLite keeps two more files next to it while it is open. Not for network file systems.

        max_bytes: The most that the file grows to; values that were written first go first. One that takes more than
            a tenth of it is not kept.

        wait_s: How long to wait for a writer of another process; a cache that is slower is no help.

        clock: Seconds since the epoch, the same for all processes.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        max_bytes: int = 256 * 1024**2,
        wait_s: float = 0.1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._wait_s = wait_s
        self._path = Path(path)
        self._max_bytes = max_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._connection: sqlite3.Connection | None = None
        self._inherited: sqlite3.Connection | None = None

    def get(self, key: str) -> bytes | None:
        """Return the value of *key*; None where there is none or it has expired."""
        with self._opened() as connection:
            query = "SELECT value FROM answers WHERE key = ? AND ends > ?"
            row = connection.execute(query, (key, self._clock())).fetchone()
        return None if row is None else bytes(row[0])

    def put(self, key: str, value: bytes, ttl_s: float) -> None:
        """Keep *value* for *ttl_s* seconds; rows whose time is over go."""
        if len(value) > self._max_bytes // 10:
            return
        now = self._clock()
        with self._opened() as connection, _transaction(connection):
            connection.execute("DELETE FROM answers WHERE ends <= ?", (now,))
            connection.execute("REPLACE INTO answers VALUES (?, ?, ?)", (key, now + ttl_s, value))
            while _used_bytes(connection) > self._max_bytes and _drop_oldest(connection):
                pass

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._own_lock():
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    @contextmanager
    def _opened(self) -> Generator[sqlite3.Connection]:
        with self._own_lock():
            if self._connection is None:
                self._connection = _open(self._path, self._wait_s)
            yield self._connection

    def _own_lock(self) -> threading.Lock:
        """Return the lock of this process; a forked one keeps its parent's connection untouched and opens its own."""
        if self._pid != os.getpid():
            self._pid, self._lock = os.getpid(), threading.Lock()
            self._inherited, self._connection = self._connection, None
        return self._lock


def _open(path: Path, wait_s: float) -> sqlite3.Connection:
    import sqlite3

    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=wait_s, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")  # a power cut may lose answers, which is what a cache may do
        with _transaction(connection):
            for statement in filter(str.strip, _TABLE.split(";")):
                connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Generator[None]:
    connection.execute("BEGIN IMMEDIATE")  # a reader that turns writer half-way would fail where it could wait
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _used_bytes(connection: sqlite3.Connection) -> int:
    """Return the size of the used pages; free ones are used again before the file grows."""
    names = ("page_count", "freelist_count", "page_size")
    pages, free, size = (int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in names)
    return (pages - free) * size


def _drop_oldest(connection: sqlite3.Connection) -> int:
    """Drop the tenth that was written first; how many those were."""
    oldest = "SELECT rowid FROM answers ORDER BY rowid LIMIT (SELECT max(1, count(*) / 10) FROM answers)"
    return connection.execute(f"DELETE FROM answers WHERE rowid IN ({oldest})").rowcount  # noqa: S608  no input in it

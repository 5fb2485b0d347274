"""A ledger in one SQLite file, for many processes and threads of one machine."""

from __future__ import annotations

import shlex
import sqlite3
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from llm_gateway.cost.ledger.base import Span
from llm_gateway.cost.ledger.columns import COLUMNS, NUMBERS, decode, encode, totals
from llm_gateway.cost.ledger.entry import Entry
from llm_gateway.cost.ledger.turns import Turns
from llm_gateway.cost.ledger.version import VERSION, check_version
from llm_gateway.cost.totals import Totals
from llm_gateway.exceptions import LedgerError
from llm_gateway.usage import COUNTS

__all__ = ["SqliteLedger", "absent", "explained", "foreign"]

APPLICATION = 0x4C4C4D4C
"""The id that distinguishes a ledger from the databases of other programs: ``LLML`` in ASCII."""
_PAGE = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = 86_400_000_000


def _view(dimension: str, key: str, tables: str = "entry") -> str:
    numbers = ", ".join(f"{expression} AS {name}" for name, expression in NUMBERS.items())
    return f"SELECT seq, at, {dimension} AS dimension, {key} AS key, {numbers} FROM {tables}"  # noqa: S608 - constants


# A million rows take SQLite longer than a second to add up, so sums by day are kept for each value that a report can
# group by. A trigger keeps them, in the transaction of the insert and only for what it really inserted, so they hold
# by any writer. A report reads rows of the table itself only for the parts of days at both ends of its span.
_SCHEMA = f"""
CREATE TABLE entry (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, provider TEXT, api TEXT,
    model_requested TEXT, model_served TEXT, status TEXT NOT NULL, price TEXT, session_id TEXT, test_id TEXT,
    latency_s REAL, tags TEXT NOT NULL, cost_pico INTEGER, {", ".join(f"{part} INTEGER" for part in COUNTS)},
    service_tier TEXT);
CREATE INDEX entry_at ON entry (at);
CREATE VIEW part AS
    {_view("'day'", f"date(at / {_DAY} * 86400, 'unixepoch')")}
    UNION ALL {_view("'provider'", "coalesce(provider, '')")}
    UNION ALL {_view("'model'", "coalesce(model_served, model_requested, '')")}
    UNION ALL {_view("'session'", "coalesce(session_id, '')")}
    UNION ALL {_view("'test'", "coalesce(test_id, '')")}
    UNION ALL {_view("'tag:' || tag.key", "coalesce(tag.value, '')", "entry, json_each(entry.tags) AS tag")};
CREATE TABLE daily (
    dimension TEXT NOT NULL, key TEXT NOT NULL, day INTEGER NOT NULL,
    {", ".join(f"{name} INTEGER" for name in NUMBERS)},
    PRIMARY KEY (dimension, key, day)) WITHOUT ROWID;
CREATE TRIGGER add_up AFTER INSERT ON entry BEGIN
    INSERT INTO daily SELECT dimension, key, at / {_DAY}, {", ".join(NUMBERS)} FROM part WHERE seq = new.seq
    ON CONFLICT DO UPDATE SET {", ".join(f"{name} = {name} + excluded.{name}" for name in NUMBERS)};
END;
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
"""  # noqa: S608 - constants
_INSERT = (
    f"INSERT INTO entry ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))}) ON CONFLICT (id) DO NOTHING"  # noqa: S608 - constants
)
_SUMS = ", ".join(f"sum({name})" for name in NUMBERS)
_REPORT = f"""
SELECT key, {_SUMS} FROM (
    SELECT {{key}} AS key, {", ".join(NUMBERS)} FROM daily WHERE {{wanted}} AND day >= :first AND day < :last
    UNION ALL
    SELECT {{key}}, {", ".join(NUMBERS)} FROM part WHERE {{wanted}} AND at >= :start AND at < :first_at
    UNION ALL
    SELECT {{key}}, {", ".join(NUMBERS)} FROM part WHERE {{wanted}} AND at >= :last_at AND at < :end
) GROUP BY key
"""  # noqa: S608 - constants
_ROWS = f"""
SELECT seq, {", ".join(COLUMNS)} FROM entry WHERE (at, seq) > (?, ?) AND at < ? ORDER BY at, seq LIMIT {_PAGE}
"""  # noqa: S608 - constants


class SqliteLedger:
    """
    The ledger in *file*. See `open_ledger`.

    Write-ahead logging lets reports read while others write. Commits are not forced to the disk: they outlive the
    process, killed or not, and only a power cut may take the last of them.
    """

    def __init__(self, file: Path, *, must_exist: bool, timeout_s: float) -> None:
        self._file = file
        self._must_exist = must_exist
        self._timeout_s = timeout_s
        self._turns = Turns(f"the ledger {str(file)!r}", self._connect)
        with self._turn():
            pass

    def __str__(self) -> str:
        return str(self._file)

    def append(self, entries: Iterable[Entry]) -> None:
        """Add *entries*; see `Ledger.append`."""
        rows = [encode(entry, at=_microseconds(entry.at)) for entry in entries]
        with self._turn() as connection, _transaction(connection, "IMMEDIATE"):
            connection.executemany(_INSERT, rows)

    def report(self, by: str, span: Span) -> list[tuple[str | None, Totals]]:
        """Return sums by *by*; see `Ledger.report`."""
        with self._turn() as connection, _transaction(connection, "DEFERRED"):
            groups = _groups(connection, by, span)
            if by.startswith("tag:"):
                everything = sum((one for _, one in _groups(connection, "day", span)), Totals())
                groups.append((None, everything - sum((one for _, one in groups), Totals())))
                return [(key, one) for key, one in groups if one.calls]  # a tag may be empty, a name may not
        return [(key or None, one) for key, one in groups if one.calls]

    def rows(self, span: Span) -> Iterator[Entry]:
        """Yield the entries of *span*; see `Ledger.rows`. Others may write between any two."""
        place, end = (_microseconds(span.start), -1), _microseconds(span.end)
        while True:
            with self._turn() as connection:
                page = connection.execute(_ROWS, (*place, end)).fetchall()
            for row in page:
                yield decode(row[1:], at=_EPOCH + row[2] * _MICROSECOND)
            if len(page) < _PAGE:
                return
            place = (page[-1][2], page[-1][0])

    def close(self) -> None:
        """Close the file; the last one to do so folds the write-ahead log into it."""
        self._turns.close()

    @contextmanager
    def _turn(self) -> Generator[sqlite3.Connection, None, None]:
        until = time.monotonic() + self._timeout_s
        with explained(self._file, self._timeout_s), self._turns.take(until) as connection:
            left_ms = max(0, int((until - time.monotonic()) * 1000))
            connection.execute(f"PRAGMA busy_timeout = {left_ms}")
            yield connection

    def _connect(self) -> sqlite3.Connection:
        if self._must_exist and not self._file.exists():
            raise absent(self._file)
        if not self._must_exist:
            return self._open("rwc")
        try:
            return self._open("rw")
        except sqlite3.OperationalError:
            # SQLite makes files next to a ledger even to read it; in a read-only folder no process writes
            if self._file.with_name(f"{self._file.name}-wal").exists():
                raise
            return self._open("ro&immutable=1")

    def _open(self, mode: str) -> sqlite3.Connection:
        address = f"{self._file.absolute().as_uri()}?mode={mode}"
        # isolation_level None: no transaction begins except where this module begins one
        connection = sqlite3.connect(
            address, uri=True, timeout=self._timeout_s, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        with _transaction(connection, "DEFERRED"):  # one look: another process may be making it
            is_ready = self._is_ready(connection)
        if not is_ready:
            if self._must_exist:
                raise foreign(self._file)
            self._begin_log(connection)
            with _transaction(connection, "IMMEDIATE"):
                if not self._is_ready(connection):
                    for statement in _statements(_SCHEMA):
                        connection.execute(statement)
        connection.execute("PRAGMA synchronous = NORMAL")

    def _is_ready(self, connection: sqlite3.Connection) -> bool:
        """Return whether the file is a ledger; False where it is empty."""
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application == APPLICATION:
            check_version(str(self._file), version)
        if application != APPLICATION and (application or version or tables):
            raise foreign(self._file)
        return bool(application == APPLICATION)

    def _begin_log(self, connection: sqlite3.Connection) -> None:
        """Turn write-ahead logging on; SQLite does not wait for others by itself when two do so at once."""
        until = time.monotonic() + self._timeout_s
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.01)
            else:
                return


def _groups(connection: sqlite3.Connection, by: str, span: Span) -> list[tuple[str | None, Totals]]:
    start, end = _microseconds(span.start), _microseconds(span.end)
    first, last = -(-start // _DAY), end // _DAY
    key, wanted = "key", "dimension = :dimension"
    if by == "tag":
        key, wanted = "substr(dimension, 5) || '=' || key", "dimension >= 'tag:' AND dimension < 'tag;'"
    # a span within one day has no whole day, and one part of a day
    edges = {"first_at": first * _DAY, "last_at": last * _DAY} if first <= last else {"first_at": end, "last_at": end}
    found = connection.execute(
        _REPORT.format(key=key, wanted=wanted),
        {"dimension": by, "start": start, "end": end, "first": first, "last": last, **edges},
    )
    return [(row[0], totals(row[1:])) for row in found]


@contextmanager
def _transaction(connection: sqlite3.Connection, kind: str) -> Generator[None, None, None]:
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of *script*: executescript would commit what is open."""
    statement = ""
    for line in script.splitlines():
        statement += f"{line}\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND


def absent(file: Path) -> LedgerError:
    """Return the error for a file that does not exist."""
    return LedgerError(
        f"there is no ledger {str(file)!r}",
        cause="a ledger is made by the first run that writes one",
        fix=f"look where it is: ls {_quoted(file.parent)}",
    )


def foreign(file: Path) -> LedgerError:
    """Return the error for a database of another program, or an empty one."""
    return LedgerError(
        f"{str(file)!r} is not a ledger",
        cause="it is a SQLite database that llm-gateway did not make; nothing was changed in it",
        fix="name another file; a ledger is made where there is none",
    )


@contextmanager
def explained(file: Path, timeout_s: float) -> Generator[None, None, None]:
    """Turn errors of SQLite into errors that say what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explain(error, file, timeout_s) from None


def _explain(error: sqlite3.Error, file: Path, timeout_s: float) -> LedgerError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    name = str(file)
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return LedgerError(
            f"the ledger {name!r} was locked for {timeout_s:g} s",
            cause="another program keeps a transaction open in it",
            fix=f"find it and end it: fuser -v {_quoted(file)}",
        )
    if code == sqlite3.SQLITE_READONLY:
        return LedgerError(
            f"the ledger {name!r} cannot be written",
            cause="the file or its folder is read-only for this user",
            fix=f"chmod u+w {_quoted(file.parent)} {_quoted(file)}",
        )
    if code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return _cannot_open(file)
    if code in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
        return LedgerError(
            f"{name!r} is not a ledger, or it is damaged",
            cause=f"SQLite reports: {error}",
            fix=f"name another file, or look at this one: sqlite3 {_quoted(file)} 'PRAGMA integrity_check'",
        )
    if code == sqlite3.SQLITE_FULL:
        return LedgerError(f"the ledger {name!r} cannot grow: the disk is full", fix=f"df -h {_quoted(file.parent)}")
    return LedgerError(f"the ledger {name!r} cannot be used", cause=f"SQLite reports: {error}")


def _cannot_open(file: Path) -> LedgerError:
    folder = file.parent
    if not folder.is_dir():
        return LedgerError(
            f"the ledger {str(file)!r} cannot be made",
            cause=f"there is no folder {str(folder)!r}",
            fix=f"mkdir -p {_quoted(folder)}",
        )
    if file.is_dir():
        return LedgerError(f"{str(file)!r} is a folder", fix=f"name a file: {file / 'ledger.db'}")
    return LedgerError(
        f"the ledger {str(file)!r} cannot be opened",
        cause=f"this user may not read the file, or not write to {str(folder)!r}",
        fix=f"ls -ld {_quoted(folder)} {_quoted(file)}",
    )


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))

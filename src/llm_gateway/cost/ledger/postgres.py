"""A ledger in a PostgreSQL database, for many machines."""

from __future__ import annotations

import math
import shlex
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict

from llm_gateway.cost.ledger.base import Span
from llm_gateway.cost.ledger.columns import COLUMNS, NUMBERS, decode, encode, totals
from llm_gateway.cost.ledger.entry import Entry
from llm_gateway.cost.ledger.turns import Turns
from llm_gateway.cost.ledger.version import VERSION, check_version
from llm_gateway.cost.totals import Totals
from llm_gateway.exceptions import LedgerError
from llm_gateway.usage import COUNTS

__all__ = ["Address", "PostgresLedger", "absent", "explained"]

_PAGE = 10_000
_LOCK = 0x4C4C4D4C
"""The advisory lock under which the tables are made, so that many may start at once."""
# Only ever inserted into, so writers never wait for each other. PostgreSQL adds up a million rows in parallel in less
# than half a second; sums kept next to them, as the SQLite ledger has, would make every writer wait for the same row.
_SCHEMA = f"""
CREATE TABLE llm_ledger (
    seq bigint GENERATED ALWAYS AS IDENTITY, id text PRIMARY KEY, at timestamptz NOT NULL, provider text, api text,
    model_requested text, model_served text, status text NOT NULL, price text, session_id text, test_id text,
    latency_s double precision, tags jsonb NOT NULL, cost_pico bigint, {", ".join(f"{part} bigint" for part in COUNTS)},
    service_tier text);
CREATE INDEX llm_ledger_at ON llm_ledger (at, seq);
CREATE TABLE llm_ledger_version (version integer NOT NULL);
INSERT INTO llm_ledger_version VALUES ({VERSION});
"""  # noqa: S608 - constants
_INSERT = (
    f"INSERT INTO llm_ledger ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"  # noqa: S608 - constants
    " ON CONFLICT (id) DO NOTHING"
)
_KEYS = {
    "day": "(at AT TIME ZONE 'UTC')::date",
    "provider": "provider",
    "model": "coalesce(model_served, model_requested)",
    "session": "session_id",
    "test": "test_id",
}
_SUMS = ", ".join(f"sum({expression}) AS {name}" for name, expression in NUMBERS.items())
_SPAN = "at >= %(start)s AND at < %(end)s"
# Calls share few sets of tags: these are taken apart after the rows were added up.
_BY_TAG = f"""
SELECT tag.key || '=' || tag.value, {", ".join(f"sum({name})" for name in NUMBERS)}
FROM (SELECT tags, {_SUMS} FROM llm_ledger WHERE {_SPAN} GROUP BY tags) AS tagged, jsonb_each_text(tags) AS tag
GROUP BY 1
"""  # noqa: S608 - constants
_READ = ", ".join("tags::text" if name == "tags" else name for name in COLUMNS)
_ROWS = f"""
SELECT seq, {_READ} FROM llm_ledger WHERE (at, seq) > (%s, %s) AND at < %s ORDER BY at, seq LIMIT {_PAGE}
"""  # noqa: S608 - constants
T = TypeVar("T")
_Connection = psycopg.Connection[tuple[object, ...]]


class PostgresLedger:
    """The ledger in the database at *url*. See `open_ledger`."""

    def __init__(self, url: str, *, must_exist: bool, timeout_s: float) -> None:
        self._address = Address.read(url)
        self._must_exist = must_exist
        self._timeout_s = timeout_s
        self._turns = Turns(f"the ledger {str(self._address)!r}", self._connect)
        self._run(lambda _: None)

    def __str__(self) -> str:
        return str(self._address)

    def append(self, entries: Iterable[Entry]) -> None:
        """Add *entries*; see `Ledger.append`."""
        rows = [encode(entry, at=entry.at) for entry in entries]

        def insert(connection: _Connection) -> None:
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(_INSERT.encode(), rows)

        self._run(insert)

    def report(self, by: str, span: Span) -> list[tuple[str | None, Totals]]:
        """Return sums by *by*; see `Ledger.report`."""
        name = by.removeprefix("tag:") if by.startswith("tag:") else None
        key = "tags ->> %(name)s" if name is not None else _KEYS.get(by)
        query = f"SELECT {key}, {_SUMS} FROM llm_ledger WHERE {_SPAN} GROUP BY 1" if key else _BY_TAG  # noqa: S608 - constants
        values = {"start": span.start, "end": span.end, "name": name}

        def read(connection: _Connection) -> list[tuple[object, ...]]:
            with connection.transaction():
                connection.execute("SET LOCAL statement_timeout = 0")  # the limit is for writers, which tests wait for
                return connection.execute(query.encode(), values).fetchall()

        return [(_key(row[0]), totals([int(str(number)) for number in row[1:]])) for row in self._run(read)]

    def rows(self, span: Span) -> Iterator[Entry]:
        """Yield the entries of *span*; see `Ledger.rows`. Others may write between any two."""
        place: tuple[object, object] = (span.start, -1)
        while True:
            values = (*place, span.end)
            page = self._run(lambda connection: connection.execute(_ROWS.encode(), values).fetchall())  # noqa: B023
            for row in page:
                yield decode(row[1:], at=row[2])  # type: ignore[arg-type]
            if len(page) < _PAGE:
                return
            place = (page[-1][2], page[-1][0])

    def close(self) -> None:
        """Close the connection."""
        self._turns.close()

    def _run(self, work: Callable[[_Connection], T]) -> T:
        """Do *work*, once more on a new connection where the old one turns out to be gone: ids make that safe."""
        until = time.monotonic() + self._timeout_s
        with explained(self._address, self._timeout_s):
            for is_last in (False, True):
                with self._turn(until) as connection:
                    try:
                        return work(connection)
                    except psycopg.OperationalError:
                        if is_last or not connection.broken:
                            raise
        raise AssertionError("the last try returns or raises")

    @contextmanager
    def _turn(self, until: float) -> Generator[_Connection, None, None]:
        with self._turns.take(until) as connection:
            try:
                yield connection
            finally:
                if connection.closed:
                    self._turns.drop()

    def _connect(self) -> _Connection:
        wait_s = max(1, math.ceil(self._timeout_s))
        wait_ms = max(1, int(self._timeout_s * 1000))
        connection = psycopg.connect(
            self._address.url, autocommit=True, connect_timeout=wait_s, tcp_user_timeout=wait_ms
        )
        try:
            connection.execute(f"SET statement_timeout = {wait_ms}".encode())
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: _Connection) -> None:
        if not _is_ready(connection):
            if self._must_exist:
                raise absent(self._address)
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                if not _is_ready(connection):
                    connection.execute(_SCHEMA.encode())
        found = connection.execute("SELECT max(version) FROM llm_ledger_version").fetchone()
        version = int(str(found[0])) if found and found[0] is not None else 0
        check_version(str(self._address), version)


def _is_ready(connection: _Connection) -> bool:
    # not to_regclass: within a transaction it may remember that the table was not there before the lock was given
    query = "SELECT 1 FROM pg_class WHERE relname = 'llm_ledger_version' AND pg_table_is_visible(oid)"
    return connection.execute(query).fetchone() is not None


def _key(value: object) -> str | None:
    return None if value is None else str(value)


def absent(address: Address) -> LedgerError:
    """Return the error for a database without a ledger."""
    return LedgerError(
        f"there is no ledger in {str(address)!r}",
        cause="a ledger is made by the first run that writes one",
        fix=f"look which tables it has: psql {_quoted(address)} -c '\\dt'",
    )


@contextmanager
def explained(address: Address, timeout_s: float) -> Generator[None, None, None]:
    """Turn errors of PostgreSQL into errors that say what to do and show no password."""
    try:
        yield
    except psycopg.Error as error:
        raise _explain(error, address, timeout_s) from None


def _explain(error: psycopg.Error, address: Address, timeout_s: float) -> LedgerError:
    message = address.masked(str(error).strip().splitlines()[0]) if str(error).strip() else type(error).__name__
    if isinstance(error, psycopg.errors.QueryCanceled | psycopg.errors.LockNotAvailable):
        return LedgerError(
            f"the ledger {str(address)!r} was locked for {timeout_s:g} s",
            cause="another session keeps a lock on its tables",
            fix=f"find it: psql {_quoted(address)} -c 'TABLE pg_stat_activity'",
        )
    if isinstance(error, psycopg.errors.InsufficientPrivilege | psycopg.errors.ReadOnlySqlTransaction):
        return LedgerError(
            f"the ledger {str(address)!r} cannot be written",
            cause=message,
            fix="give its user the right: GRANT SELECT, INSERT ON llm_ledger, llm_ledger_version TO ...",
        )
    cause, fix = _cause_and_fix(message, address)
    return LedgerError(f"the ledger {str(address)!r} cannot be used", cause=cause, fix=fix)


def _cause_and_fix(message: str, address: Address) -> tuple[str, str]:
    """Return cause and fix of a failed connection, by its text: psycopg has no SQLSTATE there."""
    if "authentication" in message or "password" in message or "role " in message:
        return message, f"try the user and the password until this connects: psql {_quoted(address)}"
    if 'database "' in message and "does not exist" in message:
        place = f" -h {shlex.quote(address.host)}" if address.host else ""
        port = f" -p {address.port}" if address.port else ""
        return message, f"createdb{place}{port} {shlex.quote(address.database)}"
    return message, f"see whether the server is there: pg_isready -d {_quoted(address)}"


def _quoted(address: Address) -> str:
    return shlex.quote(str(address))


@dataclass(frozen=True, slots=True)
class Address:
    """A PostgreSQL URL; as text it has no password and no options, which may hold one."""

    url: str = field(repr=False)
    password: str = field(repr=False)
    user: str
    host: str
    port: str
    database: str

    @classmethod
    def read(cls, url: str) -> Address:
        """
        Return the parts of *url*.

        Raises:
            LedgerError: It is no such URL. The text shows nothing of it, for a password may be anywhere in it.
        """
        try:
            parts = {name: str(value) for name, value in conninfo_to_dict(url).items()}
        except psycopg.ProgrammingError:
            raise _unreadable() from None
        user, host, port, database = (parts.get(name, "") for name in ("user", "host", "port", "dbname"))
        if "@" in host + port + database or (port and not port.replace(",", "0").isdecimal()):
            raise _unreadable()
        return cls(url, parts.get("password", ""), user, host, port, database)

    def __str__(self) -> str:
        is_socket = self.host.startswith("/")
        place = "" if is_socket else self.host + (f":{self.port}" if self.port else "")
        query = f"?host={self.host}" if is_socket else ""
        return f"postgresql://{f'{self.user}@' if self.user else ''}{place}/{self.database}{query}"

    def masked(self, text: str) -> str:
        """Return *text* without the password."""
        return text.replace(self.password, "***") if self.password else text


def _unreadable() -> LedgerError:
    return LedgerError(
        "the URL of the ledger cannot be read (it is not shown here: it may hold a password)",
        cause="a character such as @ : / ? # or % in a user or password is written as %40 %3A %2F %3F %23 %25",
        fix="postgresql://user:password@host:5432/database",
    )

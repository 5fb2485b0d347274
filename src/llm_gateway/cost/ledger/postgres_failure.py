"""What went wrong with a PostgreSQL server, in words, and what to do."""

from __future__ import annotations

import shlex
from collections.abc import Generator
from contextlib import contextmanager

import psycopg

from llm_gateway.cost.ledger.address import Address
from llm_gateway.exceptions import LedgerError

__all__ = ["absent", "explained"]


def absent(address: Address) -> LedgerError:
    """The database has no ledger."""
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
    said = address.masked(str(error).strip().splitlines()[0]) if str(error).strip() else type(error).__name__
    if isinstance(error, psycopg.errors.QueryCanceled | psycopg.errors.LockNotAvailable):
        return LedgerError(
            f"the ledger {str(address)!r} was locked for {timeout_s:g} s",
            cause="another session keeps a lock on its tables",
            fix=f"find it: psql {_quoted(address)} -c 'TABLE pg_stat_activity'",
        )
    if isinstance(error, psycopg.errors.InsufficientPrivilege | psycopg.errors.ReadOnlySqlTransaction):
        return LedgerError(
            f"the ledger {str(address)!r} cannot be written",
            cause=said,
            fix="give its user the right: GRANT SELECT, INSERT ON llm_ledger, llm_ledger_version TO ...",
        )
    cause, fix = _hint(said, address)
    return LedgerError(f"the ledger {str(address)!r} cannot be used", cause=cause, fix=fix)


def _hint(said: str, address: Address) -> tuple[str, str]:
    """The cause with what to do. A server that refuses to connect says why in words alone, without a code."""
    if "authentication" in said or "password" in said or "role " in said:
        return said, f"try the user and the password until this connects: psql {_quoted(address)}"
    if 'database "' in said and "does not exist" in said:
        place = f" -h {shlex.quote(address.host)}" if address.host else ""
        port = f" -p {address.port}" if address.port else ""
        return said, f"createdb{place}{port} {shlex.quote(address.database)}"
    return said, f"see whether the server is there: pg_isready -d {_quoted(address)}"


def _quoted(address: Address) -> str:
    return shlex.quote(str(address))

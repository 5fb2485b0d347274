"""Every attempt, appended once: to one SQLite file, or to PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from llm_gateway.cost.ledger.base import Ledger, Span
from llm_gateway.cost.ledger.entry import Entry
from llm_gateway.exceptions import LedgerError

__all__ = ["Entry", "Ledger", "Span", "open_ledger"]


def open_ledger(where: str | Path, *, must_exist: bool = False, timeout_s: float = 5.0) -> Ledger:
    """
    Open the ledger at *where*; it is made where there is none.

    Args:
        where: A path, ``sqlite:///path``, or ``postgresql://user:password@host/database``.

        must_exist: Refuse to make a new one, as a report does.

        timeout_s: How long to wait for other writers, and for a server to answer.

    Raises:
        LedgerError: It cannot be opened; the text contains what to do.
    """
    text = str(where)
    scheme, separator, path = text.partition("://")
    if is_postgres(text):
        return _postgres(text, must_exist=must_exist, timeout_s=timeout_s)
    if text.lower().startswith(("postgres:", "postgresql:")):
        raise LedgerError(
            "the URL of the ledger cannot be read (it is not shown here: it may hold a password)",
            cause="the URL of a PostgreSQL database begins with postgresql:// in small letters",
            fix="postgresql://user:password@host:5432/database",
        )
    if not text or (separator and (scheme != "sqlite" or len(path) < 2 or path[0] != "/")):
        raise LedgerError(
            f"no kind of ledger starts with {scheme + separator!r}" if text else "the ledger has no name",
            fix="it is a path such as ledger.db, sqlite:///ledger.db or postgresql://user@host/database",
        )
    from llm_gateway.cost.ledger.sqlite import SqliteLedger

    file = Path(path[1:] if separator else text).expanduser()
    return SqliteLedger(file, must_exist=must_exist, timeout_s=timeout_s)


def is_postgres(where: str) -> bool:
    """Return whether *where* is the URL of a server, which may be away for a while."""
    return where.startswith(("postgres://", "postgresql://"))


def _postgres(url: str, *, must_exist: bool, timeout_s: float) -> Ledger:
    try:
        from llm_gateway.cost.ledger.postgres import PostgresLedger
    except ImportError as error:
        raise LedgerError(
            "a ledger in PostgreSQL needs psycopg",
            cause=str(error).partition("\n")[0],
            fix="pip install 'pytest-llm-gateway[postgres]'",
        ) from None
    return PostgresLedger(url, must_exist=must_exist, timeout_s=timeout_s)

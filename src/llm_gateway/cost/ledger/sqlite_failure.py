"""What went wrong with a SQLite file, in words, and what to do."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from llm_gateway.exceptions import LedgerError

__all__ = ["absent", "explained", "foreign"]


def absent(file: Path) -> LedgerError:
    """There is no such file."""
    return LedgerError(
        f"there is no ledger {str(file)!r}",
        cause="a ledger is made by the first run that writes one",
        fix=f"look where it is: ls {_quoted(file.parent)}",
    )


def foreign(file: Path) -> LedgerError:
    """The file is a database, but of something else; or it is empty."""
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
            cause=f"SQLite says: {error}",
            fix=f"name another file, or look at this one: sqlite3 {_quoted(file)} 'PRAGMA integrity_check'",
        )
    if code == sqlite3.SQLITE_FULL:
        return LedgerError(f"the ledger {name!r} cannot grow: the disk is full", fix=f"df -h {_quoted(file.parent)}")
    return LedgerError(f"the ledger {name!r} cannot be used", cause=f"SQLite says: {error}")


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

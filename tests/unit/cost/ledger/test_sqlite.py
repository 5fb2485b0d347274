"""Ledger files that are locked, read-only, damaged or no ledgers, and the errors raised for them."""

import os
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llm_gateway import usage_report
from llm_gateway.cost.ledger import Entry, open_ledger
from llm_gateway.exceptions import LedgerError

ENTRY = Entry("1", datetime(2026, 11, 20, tzinfo=UTC), "openai")


@pytest.fixture
def file():
    """Yield a ledger of one call in a folder that every user can open; only its owner can open pytest's own."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        made = Path(name) / "ledger.db"
        with closing(open_ledger(made)) as ledger:
            ledger.append([ENTRY])
        yield made


@contextmanager
def unprivileged():
    """Run the block as a user bound by file modes: root may read and write everything."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def calls(where):
    return [(row.key, row.calls) for row in usage_report(ledger=where)]


def test_a_locked_ledger_raises_after_the_timeout(file):
    """The error has the command that finds the locking process; reports can still read the file."""
    with closing(open_ledger(file, timeout_s=0.2)) as ledger, closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError) as error:
            ledger.append([ENTRY])
        assert [("2026-11-20", 1)] == calls(file)
    assert (
        f"the ledger '{file}' was locked for 0.2 s\n"
        "  another program keeps a transaction open in it\n"
        f"  find it and end it: fuser -v {file}"
    ) == str(error.value)


def test_a_read_only_ledger_can_be_read_but_not_written(file):
    """Its report is unchanged after the failed write."""
    file.chmod(0o444)
    file.parent.chmod(0o555)
    with unprivileged():
        assert [("2026-11-20", 1)] == calls(file)
        with pytest.raises(LedgerError) as error, closing(open_ledger(file)) as ledger:
            ledger.append([ENTRY])
        with pytest.raises(LedgerError, match="cannot be opened\n  this user may not read the file, or not write to"):
            open_ledger(file.with_name("other.db"))
    file.parent.chmod(0o755)
    assert str(error.value).startswith(f"the ledger '{file}' cannot be ")
    assert str(file.parent) in error.value.fix


def test_a_file_that_is_no_ledger_is_rejected_and_left_unchanged(tmp_path):
    """Be it text, or the SQLite database of another program."""
    text, other = tmp_path / "notes.txt", tmp_path / "other.db"
    text.write_text("the ledger is somewhere else " * 40)
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE mine (a)")
    before = text.read_bytes(), other.read_bytes()
    with pytest.raises(
        LedgerError, match=r"notes.txt' is not a ledger, or it is damaged\n  SQLite reports: file is not"
    ):
        open_ledger(text)
    for must_exist in (True, False):
        with pytest.raises(LedgerError, match=r"other.db' is not a ledger\n  .* nothing was changed in it"):
            open_ledger(other, must_exist=must_exist)

    assert before == (text.read_bytes(), other.read_bytes())


def test_an_empty_file_becomes_a_ledger_when_written(tmp_path):
    """A report rejects it as no ledger."""
    empty = tmp_path / "empty.db"
    empty.touch()
    with pytest.raises(LedgerError, match="is not a ledger"):
        open_ledger(empty, must_exist=True)
    open_ledger(empty).close()
    assert [] == calls(empty)


def test_a_path_that_cannot_be_a_file_is_an_error(tmp_path):
    """Its folder does not exist, or the path is itself a folder."""
    with pytest.raises(LedgerError) as error:
        open_ledger(tmp_path / "no such" / "ledger.db")
    assert str(error.value).endswith(f"there is no folder '{tmp_path}/no such'\n  mkdir -p '{tmp_path}/no such'")
    with pytest.raises(LedgerError, match=r"is a folder\n  name a file: .*/ledger.db"):
        open_ledger(tmp_path)


@pytest.mark.parametrize("where", ["mysql://host/db", "sqlite://relative.db", "sqlite:///"])
def test_a_malformed_or_unsupported_ledger_url_is_an_error(where):
    """The message shows the three forms that are supported."""
    with pytest.raises(LedgerError) as error:
        open_ledger(where)
    assert str(error.value) == (
        f"no kind of ledger starts with '{where.partition('://')[0]}://'\n"
        "  it is a path such as ledger.db, sqlite:///ledger.db or postgresql://user@host/database"
    )


@pytest.mark.parametrize("start", ["postgresql:/u", "postgres:u", "Postgres:u", "POSTGRESQL://u"])
def test_a_misspelt_server_url_is_neither_used_as_a_path_nor_shown(start):
    """It may hold a password."""
    with pytest.raises(LedgerError) as error:
        open_ledger(f"{start}:hunter22@h/db")
    assert str(error.value) == (
        "the URL of the ledger cannot be read (it is not shown here: it may hold a password)\n"
        "  the URL of a PostgreSQL database begins with postgresql:// in small letters\n"
        "  postgresql://user:password@host:5432/database"
    )


def test_a_url_and_a_path_open_the_same_ledger(file, monkeypatch):
    """Relative paths and ``~`` are expanded in both."""
    monkeypatch.chdir(file.parent)
    monkeypatch.setenv("HOME", str(file.parent))

    for where in (f"sqlite:///{file}", "sqlite:///ledger.db", "~/ledger.db", file):
        assert [("2026-11-20", 1)] == calls(where)


def test_the_write_ahead_log_of_a_killed_writer_is_read(file):
    """Calls that SQLite has not yet moved into the main file are reported."""
    child = os.fork()
    if child == 0:
        try:
            open_ledger(file).append([Entry("2", ENTRY.at, "openai")])
        finally:
            os._exit(0)
    os.waitpid(child, 0)

    assert file.with_name("ledger.db-wal").stat().st_size > 0
    assert [("2026-11-20", 2)] == calls(file)

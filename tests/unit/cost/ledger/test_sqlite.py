"""What can be wrong with the file of a ledger, and what is said of it."""

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
    """A ledger of one call in a folder that any user reaches; pytest's own folders are closed to others."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        made = Path(name) / "ledger.db"
        with closing(open_ledger(made)) as ledger:
            ledger.append([ENTRY])
        yield made


@contextmanager
def anybody():
    """As a user who may do no more than the modes of files say: root may do all."""
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


def test_a_lock_is_waited_for_so_long_and_no_longer(file):
    """Then the writer is told who to look for; a report reads on."""
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


def test_a_read_only_file_is_read_and_not_written(file):
    """The report is the same as before."""
    file.chmod(0o444)
    file.parent.chmod(0o555)
    with anybody():
        assert [("2026-11-20", 1)] == calls(file)
        with pytest.raises(LedgerError) as error, closing(open_ledger(file)) as ledger:
            ledger.append([ENTRY])
        with pytest.raises(LedgerError, match="cannot be opened\n  this user may not read the file, or not write to"):
            open_ledger(file.with_name("other.db"))
    file.parent.chmod(0o755)
    assert str(error.value).startswith(f"the ledger '{file}' cannot be ")
    assert str(file.parent) in error.value.fix


def test_what_is_no_ledger_is_left_alone(tmp_path):
    """A text, and a database of another program."""
    text, other = tmp_path / "notes.txt", tmp_path / "other.db"
    text.write_text("the ledger is somewhere else " * 40)
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE mine (a)")
    before = text.read_bytes(), other.read_bytes()
    with pytest.raises(LedgerError, match=r"notes.txt' is not a ledger, or it is damaged\n  SQLite says: file is not"):
        open_ledger(text)
    for must_exist in (True, False):
        with pytest.raises(LedgerError, match=r"other.db' is not a ledger\n  .* nothing was changed in it"):
            open_ledger(other, must_exist=must_exist)

    assert before == (text.read_bytes(), other.read_bytes())


def test_an_empty_file_becomes_a_ledger(tmp_path):
    """Where one is to be written; a report calls it none."""
    empty = tmp_path / "empty.db"
    empty.touch()
    with pytest.raises(LedgerError, match="is not a ledger"):
        open_ledger(empty, must_exist=True)
    open_ledger(empty).close()
    assert [] == calls(empty)


def test_a_place_where_no_file_can_be(tmp_path):
    """A folder that is not there, and a folder in the place of a file."""
    with pytest.raises(LedgerError) as error:
        open_ledger(tmp_path / "no such" / "ledger.db")
    assert str(error.value).endswith(f"there is no folder '{tmp_path}/no such'\n  mkdir -p '{tmp_path}/no such'")
    with pytest.raises(LedgerError, match=r"is a folder\n  name a file: .*/ledger.db"):
        open_ledger(tmp_path)


@pytest.mark.parametrize("where", ["mysql://host/db", "sqlite://relative.db", "sqlite:///"])
def test_a_kind_that_is_not_known(where):
    """With the three that are."""
    with pytest.raises(LedgerError) as error:
        open_ledger(where)
    assert str(error.value) == (
        f"no kind of ledger starts with '{where.partition('://')[0]}://'\n"
        "  it is a path such as ledger.db, sqlite:///ledger.db or postgresql://user@host/database"
    )


@pytest.mark.parametrize("start", ["postgresql:/u", "postgres:u", "Postgres:u", "POSTGRESQL://u"])
def test_a_misspelt_url_of_a_server_is_no_file_and_is_not_shown(start):
    """For a password may be in it."""
    with pytest.raises(LedgerError) as error:
        open_ledger(f"{start}:hunter22@h/db")
    assert str(error.value) == (
        "the URL of the ledger cannot be read (it is not shown here: it may hold a password)\n"
        "  the URL of a PostgreSQL database begins with postgresql:// in small letters\n"
        "  postgresql://user:password@host:5432/database"
    )


def test_a_url_and_a_path_are_one_ledger(file, monkeypatch):
    """Also relative, and from the home of the user."""
    monkeypatch.chdir(file.parent)
    monkeypatch.setenv("HOME", str(file.parent))

    for where in (f"sqlite:///{file}", "sqlite:///ledger.db", "~/ledger.db", file):
        assert [("2026-11-20", 1)] == calls(where)


def test_the_write_ahead_log_of_a_killed_writer_is_read(file):
    """What was not folded into the file yet counts."""
    child = os.fork()
    if child == 0:
        try:
            open_ledger(file).append([Entry("2", ENTRY.at, "openai")])
        finally:
            os._exit(0)
    os.waitpid(child, 0)

    assert file.with_name("ledger.db-wal").stat().st_size > 0
    assert [("2026-11-20", 2)] == calls(file)

"""Errors of a PostgreSQL ledger: each names the cause and the fix, and shows no password."""

import sys
from contextlib import closing
from datetime import UTC, datetime

import psycopg
import pytest

from llm_gateway.cli.main import main
from llm_gateway.cost.ledger import Entry, Span, open_ledger
from llm_gateway.exceptions import LedgerError

SECRET = "geheim"


@pytest.fixture
def folder(postgres):
    return postgres.partition("?host=")[2]


def entry(name):
    return Entry(name, datetime(2026, 11, 20, tzinfo=UTC), "openai")


def error_of(url, **options):
    """Return the message of the error that opening the ledger raises."""
    with pytest.raises(LedgerError) as error:
        open_ledger(url, **options)
    assert SECRET not in repr(vars(error.value))
    assert error.value.__cause__ is None
    return str(error.value)


def test_wrong_password_names_the_user_only(folder):
    """The message has the command that tests the connection, without the password."""
    text = error_of(f"postgresql://gateway:{SECRET}@/postgres?host={folder}")
    assert f"the ledger 'postgresql://gateway@/postgres?host={folder}' cannot be used\n" in text
    assert 'FATAL:  password authentication failed for user "gateway"\n' in text
    assert text.endswith(f"until this connects: psql 'postgresql://gateway@/postgres?host={folder}'")


def test_unknown_database_names_createdb(postgres, folder):
    """The message has the command that creates the database."""
    text = error_of(postgres.replace("/postgres?", "/nowhere?"))
    assert 'FATAL:  database "nowhere" does not exist\n' in text
    assert text.endswith(f"\n  createdb -h {folder} nowhere")


def test_unreachable_server_names_pg_isready():
    """The message has the command that checks whether the server runs."""
    text = error_of(f"postgresql://me:{SECRET}@127.0.0.1:1/calls")
    assert text.startswith("the ledger 'postgresql://me@127.0.0.1:1/calls' cannot be used\n")
    assert "Connection refused" in text
    assert text.endswith("see whether the server is there: pg_isready -d postgresql://me@127.0.0.1:1/calls")


@pytest.mark.parametrize("written", ["me:{}@x@host/db", "me:{}/x@host/db", "me:x/{}@host/db", "me:{}%zz@host/db"])
def test_unencoded_password_is_not_shown(written):
    """Parts of it would else be taken for a host, a port or a database, and shown as such."""
    text = error_of(f"postgresql://{written.format(SECRET)}")
    assert text.endswith("is written as %40 %3A %2F %3F %23 %25\n  postgresql://user:password@host:5432/database")


def test_closed_connection_is_opened_again(postgres):
    """Entries written after the server closed the connection are stored once."""
    name = "cut"
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute(f"CREATE SCHEMA {name}")
        with closing(open_ledger(f"{postgres}&options=-csearch_path%3D{name}&application_name={name}")) as ledger:
            ledger.append([entry("1")])
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", (name,))
            ledger.append([entry("1"), entry("2")])

            assert ["1", "2"] == [one.id for one in ledger.rows(Span.of(None, None))]


def test_locked_table_raises_after_the_timeout(postgres):
    """The ledger can be written again once the lock is gone."""
    with psycopg.connect(postgres) as admin:
        admin.execute("CREATE SCHEMA locked")
        admin.commit()
        with closing(open_ledger(f"{postgres}&options=-csearch_path%3Dlocked", timeout_s=0.2)) as ledger:
            admin.execute("LOCK TABLE locked.llm_ledger")
            with pytest.raises(
                LedgerError, match=r"was locked for 0\.2 s\n  another session keeps a lock on its tables"
            ):
                ledger.append([entry("1")])
            admin.rollback()
            ledger.append([entry("1")])


def test_missing_write_permission_names_the_grant(postgres, folder):
    """A user with read access can run reports."""
    with psycopg.connect(postgres) as admin:
        admin.execute("CREATE ROLE reader LOGIN PASSWORD 'geheim'; CREATE SCHEMA readable")
        admin.commit()
        open_ledger(f"{postgres}&options=-csearch_path%3Dreadable").close()
        admin.execute(
            "GRANT USAGE ON SCHEMA readable TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA readable TO reader"
        )
    url = f"postgresql://reader:{SECRET}@/postgres?host={folder}&options=-csearch_path%3Dreadable"
    with closing(open_ledger(url)) as ledger:
        assert [] == ledger.report("day", Span.of(None, None))
        with pytest.raises(LedgerError) as error:
            ledger.append([entry("1")])
    assert "permission denied for table llm_ledger\n  give its user the right: GRANT SELECT, INSERT" in str(error.value)


def test_missing_postgres_extra_raises_with_install_command(monkeypatch):
    """The error is raised when the ledger is opened."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for name in [one for one in sys.modules if one.startswith("llm_gateway.cost.ledger.postgres")]:
        monkeypatch.delitem(sys.modules, name)

    assert error_of("postgresql://host/db").endswith("\n  pip install 'pytest-llm-gateway[postgres]'")


def test_copying_a_ledger_prints_no_password(postgres, folder, tmp_path, capsys):
    """A password in the URL's query is left out as well."""
    place = str(tmp_path / "x@y.db")
    with closing(open_ledger(place)) as ledger:
        ledger.append([entry("copied")])
    user, _, password = postgres.partition("//")[2].partition("@")[0].partition(":")
    url = f"postgresql:///postgres?host={folder}&user={user}&password={password}"
    assert 0 == main(["usage", "--ledger", place, "--copy-to", url])
    assert 0 == main(["usage", "--ledger", place, "--copy-to", f"{place}.copy"])

    assert capsys.readouterr().out == (
        f"1 entries are in postgresql://{user}@/postgres?host={folder}\n1 entries are in {place}.copy\n"
    )

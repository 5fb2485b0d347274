"""What can be wrong with a PostgreSQL server, and what is said of it, without a password."""

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


def refused(url, **how):
    with pytest.raises(LedgerError) as error:
        open_ledger(url, **how)
    assert SECRET not in repr(vars(error.value))
    assert error.value.__cause__ is None
    return str(error.value)


def test_a_wrong_password(folder):
    """The user is named, the password is not."""
    text = refused(f"postgresql://gateway:{SECRET}@/postgres?host={folder}")
    assert f"the ledger 'postgresql://gateway@/postgres?host={folder}' cannot be used\n" in text
    assert 'FATAL:  password authentication failed for user "gateway"\n' in text
    assert text.endswith(f"until this connects: psql 'postgresql://gateway@/postgres?host={folder}'")


def test_an_unknown_database(postgres, folder):
    """With the command that makes it."""
    text = refused(postgres.replace("/postgres?", "/nowhere?"))
    assert 'FATAL:  database "nowhere" does not exist\n' in text
    assert text.endswith(f"\n  createdb -h {folder} nowhere")


def test_a_server_that_is_away():
    """With the command that looks for it."""
    text = refused(f"postgresql://me:{SECRET}@127.0.0.1:1/calls")
    assert text.startswith("the ledger 'postgresql://me@127.0.0.1:1/calls' cannot be used\n")
    assert "Connection refused" in text
    assert text.endswith("see whether the server is there: pg_isready -d postgresql://me@127.0.0.1:1/calls")


@pytest.mark.parametrize("written", ["me:{}@x@host/db", "me:{}/x@host/db", "me:x/{}@host/db", "me:{}%zz@host/db"])
def test_a_password_that_is_not_encoded_is_not_shown(written):
    """Parts of it would be taken for a host, a port or a database, and shown as such."""
    text = refused(f"postgresql://{written.format(SECRET)}")
    assert text.endswith("is written as %40 %3A %2F %3F %23 %25\n  postgresql://user:password@host:5432/database")


def test_a_connection_that_was_cut_is_made_anew(postgres):
    """The server ended it; the writer does not notice, and no row is there twice."""
    name = "cut"
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute(f"CREATE SCHEMA {name}")
        with closing(open_ledger(f"{postgres}&options=-csearch_path%3D{name}&application_name={name}")) as ledger:
            ledger.append([entry("1")])
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", (name,))
            ledger.append([entry("1"), entry("2")])

            assert ["1", "2"] == [one.id for one in ledger.rows(Span.of(None, None))]


def test_a_lock_is_waited_for_so_long_and_no_longer(postgres):
    """Then the writer is told where to look."""
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


def test_a_user_who_may_not_write(postgres, folder):
    """With the right that is missing."""
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


def test_the_extra_is_named_where_it_is_missing(monkeypatch):
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for name in [one for one in sys.modules if one.startswith("llm_gateway.cost.ledger.postgres")]:
        monkeypatch.delitem(sys.modules, name)

    assert refused("postgresql://host/db").endswith("\n  pip install 'pytest-llm-gateway[postgres]'")


def test_a_copy_shows_no_password(postgres, folder, tmp_path, capsys):
    """Wherever the URL has it."""
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

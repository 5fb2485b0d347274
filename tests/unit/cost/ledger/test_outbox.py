"""Entries on their way to a ledger that is away, locked, or answers nothing."""

import json
import logging
import socket
import sqlite3
import tempfile
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llm_gateway.cost.ledger import Entry, Span, open_ledger
from llm_gateway.cost.ledger.outbox import Outbox
from llm_gateway.exceptions import LedgerError


def entry(name):
    return Entry(name, datetime(2026, 11, 20, tzinfo=UTC), "openai")


def ids(file):
    with closing(open_ledger(file, must_exist=True)) as ledger:
        return [one.id for one in ledger.rows(Span.of(None, None))]


@pytest.fixture
def silent():
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"postgresql://me:hush@127.0.0.1:{server.getsockname()[1]}/calls"


def test_a_silent_server_costs_one_short_wait(silent, tmp_path, caplog, monkeypatch):
    """However many calls are made; that it is away is logged once."""
    join, waits = threading.Thread.join, []
    monkeypatch.setattr(threading.Thread, "join", lambda *args: (waits.append(args[1]), join(*args)))
    outbox = Outbox(lambda: open_ledger(silent, timeout_s=0.2), tmp_path / "rescue.db", patience_s=0.1)
    with caplog.at_level(logging.WARNING, "llm_gateway.ledger"):
        for name in "abc":
            outbox.add([entry(name)])

    assert [0.1] == waits
    assert caplog.messages == [
        "the ledger has not answered for 0.1 s\n  entries are kept, and written when that is over"
    ]
    text = outbox.close()
    assert text.startswith("LedgerError: the ledger 'postgresql://me@127.0.0.1:")
    assert "  3 entries are in " in text
    assert ["a", "b", "c"] == ids(tmp_path / "rescue.db")


def test_a_ledger_that_was_locked_gets_all_when_it_is_free(tmp_path):
    """Without another entry to bring them: the writer that waited for it writes them."""
    file = tmp_path / "ledger.db"
    with closing(open_ledger(file)) as ledger:
        ledger.append([entry("before")])
    outbox = Outbox(lambda: open_ledger(file), tmp_path / "rescue.db", patience_s=0.1)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        outbox.add([entry("a")])
        outbox.add([entry("b")])
        assert ["before"] == ids(file)
    assert outbox.close() is None

    assert ["before", "a", "b"] == ids(file)
    assert not (tmp_path / "rescue.db").exists()


def test_a_ledger_that_failed_rests(tmp_path, monkeypatch):
    """It is not tried by each entry, but by the first after its rest."""
    tried, file = [], tmp_path / "ledger.db"

    def opened():
        tried.append(1)
        if len(tried) < 2:
            raise LedgerError("away")
        return open_ledger(file)

    outbox = Outbox(opened, tmp_path / "rescue.db", patience_s=60, rest_s=3600)
    for name in "abc":
        outbox.add([entry(name)])
    assert 1 == len(tried)
    later = time.monotonic() + 4000
    monkeypatch.setattr(time, "monotonic", lambda: later)
    outbox.add([entry("d")])
    assert outbox.close() is None

    assert 2 == len(tried)
    assert ["a", "b", "c", "d"] == ids(file)


def away():
    raise LedgerError("away")


def test_a_rescue_goes_where_there_is_room(tmp_path, monkeypatch):
    """To the temporary folder, and where that takes nothing either, into the text."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    outbox = Outbox(away, tmp_path / "no such folder" / "rescue.db")
    outbox.add([entry("a")])
    text = outbox.close()
    (file,) = tmp_path.glob("llm-ledger-rescue-*/rescue.db")

    assert text == (
        f"LedgerError: away\n  1 entries are in {file} instead\n"
        f"  to move them: llm-gateway usage --ledger {file} --copy-to WHERE"
    )
    assert ["a"] == ids(file)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    outbox.add([entry("b")])
    why, told, line = outbox.close().splitlines()
    assert ("LedgerError: away", "  1 entries found no place in a file either; here they are:") == (why, told)
    assert {"id": "b", "provider": "openai"}.items() <= json.loads(line).items()
    assert not Path(tmp_path / "no such folder").exists()

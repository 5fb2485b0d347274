"""Entries on their way to a ledger that is unreachable, locked, or never replies."""

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
def silent_server():
    """Yield the URL of a server that accepts connections and never replies."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"postgresql://me:hush@127.0.0.1:{server.getsockname()[1]}/calls"


def test_a_server_that_never_replies_is_waited_for_once(silent_server, tmp_path, caplog, monkeypatch):
    """Further calls do not wait, and one warning is logged."""
    join, waits = threading.Thread.join, []
    monkeypatch.setattr(threading.Thread, "join", lambda *args: (waits.append(args[1]), join(*args)))
    outbox = Outbox(lambda: open_ledger(silent_server, timeout_s=0.2), tmp_path / "rescue.db", patience_s=0.1)
    with caplog.at_level(logging.WARNING, "llm_gateway.ledger"):
        for name in "abc":
            outbox.add([entry(name)])

    assert [0.1] == waits
    assert caplog.messages == [
        "the ledger has not answered for 0.1 s\n  entries are kept, and written when that is over"
    ]
    text = outbox.close()
    # On a busy machine the outbox may give up before the driver does; both are a server without a reply.
    assert text.startswith(("LedgerError: the ledger 'postgresql://me@127.0.0.1:", "LedgerError: the ledger has not"))
    assert "  3 entries are in " in text
    assert ["a", "b", "c"] == ids(tmp_path / "rescue.db")


def test_entries_of_a_locked_ledger_are_written_once_it_is_unlocked(tmp_path):
    """The thread that waited for the lock writes them; no further entry is needed."""
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


def test_a_failed_ledger_is_tried_again_only_after_a_pause(tmp_path, monkeypatch):
    """Entries added during the pause are kept, and written by the first attempt after it."""
    tried, file = [], tmp_path / "ledger.db"

    def opened():
        tried.append(1)
        if len(tried) < 2:
            raise LedgerError("unreachable")
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


def unreachable():
    raise LedgerError("unreachable")


def test_unwritten_entries_go_to_a_temporary_file_or_the_error_message(tmp_path, monkeypatch):
    """The message holds them only where the temporary folder cannot be written either."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    outbox = Outbox(unreachable, tmp_path / "no such folder" / "rescue.db")
    outbox.add([entry("a")])
    text = outbox.close()
    (file,) = tmp_path.glob("llm-ledger-rescue-*/rescue.db")

    assert text == (
        f"LedgerError: unreachable\n  1 entries are in {file} instead\n"
        f"  to move them: llm-gateway usage --ledger {file} --copy-to WHERE"
    )
    assert ["a"] == ids(file)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    outbox.add([entry("b")])
    error, hint, line = outbox.close().splitlines()
    assert ("LedgerError: unreachable", "  1 entries found no place in a file either; here they are:") == (error, hint)
    assert {"id": "b", "provider": "openai"}.items() <= json.loads(line).items()
    assert not Path(tmp_path / "no such folder").exists()

"""Measure the ledger: rows a second with four writers, and reports over a million rows, wall time."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from row import Row

from llm_gateway.cost.ledger import Entry, open_ledger
from llm_gateway.cost.ledger.report import usage_report
from llm_gateway.types import TokenUsage

sys.path.append(str(Path(__file__).parents[1] / "fakes"))
import postgres_server

START = datetime(2026, 8, 1, tzinfo=UTC)
WRITERS = 4
APPENDED = 5_000
MANY = 1_000_000
GROUPS = ("day", "week", "month", "provider", "model", "session", "test", "tag", "tag:team")


def entry(number: int, writer: str = "") -> Entry:
    """Return one of a million calls in 90 days: of 1,000 tests, in 500 sessions, some without a cost."""
    return Entry(
        f"{writer}{number}",
        START + timedelta(seconds=number * 7.776),
        "anthropic" if number % 2 else "openai",
        "anthropic.messages",
        f"model-{number % 20}",
        f"model-{number % 20}",
        TokenUsage(500, 200, 100, None, None, 10 if number % 3 else None),
        None if number % 50 == 0 else Decimal("0.00123456789"),
        "genai-prices 0.2.3",
        0.5,
        session_id=f"session-{number // 2000}",
        test_id=f"tests/test_it.py::test_{number % 1000}",
        tags={"team": f"team-{number % 5}"},
    )


def ledger(folder: Path) -> Iterator[Row]:
    """Yield the rows of both stores; PostgreSQL where a server is installed."""
    here = str(folder / "appended.db")
    rate, worst_s = append_rate(here)
    yield Row(
        f"rows appended to SQLite, one a call, {WRITERS} processes (worst wait {worst_s * 1000:.0f} ms)",
        "above 5,000 a second",
        f"{rate:,.0f} a second",
        rate > 5_000,
    )
    yield from reports("SQLite", nullcontext(str(folder / "million.db")))
    if postgres_server.program("postgres"):
        yield from reports("PostgreSQL", postgres_server.running())


def append_rate(where: str) -> tuple[float, float]:
    """Return the rows a second of all writers together, and the longest wait for one append in seconds."""
    argv = [sys.executable, __file__, where]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    writers = [subprocess.Popen([*argv, f"{number}-"], text=True, **pipes) for number in range(WRITERS)]  # type: ignore[call-overload]
    for writer in writers:
        writer.stdout.readline()
    start = time.perf_counter()
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    worst_s = max(float(writer.communicate()[0]) for writer in writers)
    return WRITERS * APPENDED / (time.perf_counter() - start), worst_s


def write(where: str, name: str) -> None:
    """Append rows in a process of its own: print a line when ready, wait for a line, print the longest wait."""
    entries = [entry(number, name) for number in range(APPENDED)]
    waits = []
    with closing(open_ledger(where)) as opened:
        print("ready", flush=True)
        sys.stdin.readline()
        for one in entries:
            start = time.perf_counter()
            opened.append([one])
            waits.append(time.perf_counter() - start)
    print(max(waits))


def reports(store: str, place: AbstractContextManager[str]) -> Iterator[Row]:
    """Yield the slowest report over a million rows: over all of them, and over part of the days."""
    with place as where, closing(open_ledger(where)) as opened:
        for first in range(0, MANY, 10_000):
            opened.append(entry(number) for number in range(first, first + 10_000))
        times = {}
        spans = {"all": (None, None), "part": (START + timedelta(hours=5), START + timedelta(days=80, hours=7))}
        for by in GROUPS:
            for name, span in spans.items():
                start = time.perf_counter()
                assert usage_report(*span, ledger=opened, by=by)
                times[by, name] = time.perf_counter() - start
    slowest = max(times, key=lambda one: times[one])
    yield Row(
        f"slowest report over {MANY:,} rows in {store}, of {len(times)} (by {slowest[0]})",
        "below 1 s",
        f"{times[slowest]:.2f} s",
        times[slowest] < 1,
    )


if __name__ == "__main__":
    write(*sys.argv[1:])

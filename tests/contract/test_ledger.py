"""Contract of every ledger, with SQLite and a real PostgreSQL server."""

import os
import random
import subprocess
import sys
import threading
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import psycopg
import pytest

from llm_gateway import usage_report
from llm_gateway.cost.ledger import Entry, Span, open_ledger
from llm_gateway.exceptions import LedgerError
from llm_gateway.types import TokenUsage

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ALWAYS = Span.of(None, None)


@pytest.fixture
def ledger(ledger_url):
    opened = open_ledger(ledger_url, timeout_s=60)  # longer than a busy machine needs
    yield opened
    opened.close()


def an_entry(name="1", **facts):
    return Entry(name, **{"at": NOON, "provider": "openai", **facts})


def test_rows_returns_appended_entries(ledger):
    """Every field is kept, in order of time; None stays None."""
    full = Entry(
        "ü",
        NOON.astimezone(timezone(timedelta(hours=5))) - timedelta(microseconds=1),
        "anthropic",
        "anthropic.messages",
        "claude",
        "claude-haiku-5-5",
        TokenUsage(1, 2, 3, 4, 5, 6),
        Decimal("0.123456789012"),
        "genai-prices 0.2.3",
        0.25,
        "rate_limited",
        "s",
        "tests/test_a.py::test_it[ü]",
        {"team": "search", "": "x=y"},
    )
    ledger.append([an_entry(), full])

    back = list(ledger.rows(ALWAYS))
    assert [full, an_entry()] == back
    assert UTC == back[0].at.tzinfo
    assert "0.123456789012" == str(back[0].cost_usd)


def test_duplicate_ids_are_ignored(ledger, ledger_url):
    """The first entry of an id is kept, within one append, in a later one and from another connection."""
    ledger.append([an_entry(), an_entry(provider="other")])
    ledger.append([an_entry(), an_entry("2")])
    again = open_ledger(ledger_url)
    again.append([an_entry("2")])
    again.close()

    assert ["1", "2"] == [entry.id for entry in ledger.rows(ALWAYS)]
    (row,) = usage_report(ledger=ledger, by="provider")
    assert ("openai", 2) == (row.key, row.calls)


def test_characters_that_databases_reject_are_escaped(ledger):
    """NUL and lone surrogates in names are stored as escape sequences."""
    ledger.append([an_entry(test_id="a\0b\ud800", tags={"\0": "\ud800"})])

    (entry,) = ledger.rows(ALWAYS)
    assert ("a\\x00b\\ud800", {"\\x00": "\\ud800"}) == (entry.test_id, entry.tags)


def any_entry(number, dice):
    usage = dice.choice([None, TokenUsage(dice.randrange(9**6), None, 0), TokenUsage(*dice.choices(range(9**6), k=6))])
    tags = {name: dice.choice(["a", "b=c", ""]) for name in ("team", "x=y") if dice.random() < 0.5}
    return Entry(
        f"{number}",
        NOON + timedelta(seconds=dice.randrange(-864_000, 864_000), microseconds=dice.randrange(10**6)),
        dice.choice(["openai", "anthropic"]),
        model_requested=dice.choice([None, "m1", "m2"]),
        model_served=dice.choice([None, "m2", "m3"]),
        usage=usage,
        cost_usd=dice.choice([None, Decimal(dice.randrange(10**15)).scaleb(-12), Decimal(10**6)]),
        status=dice.choice(["ok", "ok", "timeout"]),
        session_id=dice.choice([None, "s1", "s2"]),
        test_id=dice.choice([None, "t1", "t2"]),
        tags=tags,
    )


def week(at):
    return "{}-W{:02}".format(*at.isocalendar())


KEYS = {
    "day": lambda entry: [str(entry.at.date())],
    "week": lambda entry: [week(entry.at)],
    "month": lambda entry: [f"{entry.at:%Y-%m}"],
    "provider": lambda entry: [entry.provider],
    "model": lambda entry: [entry.model_served or entry.model_requested],
    "session": lambda entry: [entry.session_id],
    "test": lambda entry: [entry.test_id],
    "tag": lambda entry: [f"{name}={value}" for name, value in entry.tags.items()],
    "tag:team": lambda entry: [entry.tags.get("team")],
    "tag:x=y": lambda entry: [entry.tags.get("x=y")],
    "tag:none": lambda entry: [None],
}
PARTS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")


def expected_report(entries, by):
    """Return the expected report of *entries*, summed one by one."""
    groups = defaultdict(list)
    for entry in entries:
        for key in KEYS[by](entry):
            groups[key].append(entry)
    return {key: (len(some), sum(one.status != "ok" for one in some), *parts_of(some)) for key, some in groups.items()}


def parts_of(entries):
    parts = [[getattr(entry.usage, part, None) for entry in entries] for part in PARTS]
    for values in [*parts, [entry.cost_usd for entry in entries]]:
        known = [value for value in values if value is not None]
        yield (sum(known) if known else None, len(values) - len(known))


def report_row(row):
    sums = {**{part: getattr(row.usage, part) for part in PARTS}, "cost_usd": row.cost_usd}
    return (row.calls, row.failed, *((value, row.unknown.get(part, 0)) for part, value in sums.items()))


def test_report_sums_are_exact(ledger):
    """For every grouping and span, sums and counts of unknown values are exact, also past 2**63 picodollars."""
    dice = random.Random(3)
    entries = [any_entry(number, dice) for number in range(300)]
    for start in range(0, 300, 60):
        ledger.append(entries[start : start + 60])
    times = sorted(entry.at for entry in entries)
    spans = [
        (None, None),
        (date(2026, 11, 15), date(2026, 11, 22)),
        (times[20], times[250]),
        (times[100], times[101]),
        (NOON, NOON + timedelta(hours=5)),
        (NOON, NOON),
        (NOON - timedelta(hours=12), NOON + timedelta(hours=14)),
    ]
    for start, end in spans:
        span = Span.of(start, end)
        inside = [entry for entry in entries if span.start <= entry.at < span.end]
        assert sorted(inside, key=lambda entry: entry.at) == list(ledger.rows(span))
        for by in KEYS:
            rows = usage_report(start, end, ledger=ledger, by=by)
            assert expected_report(inside, by) == {row.key: report_row(row) for row in rows}, (by, start, end)
            assert rows == sorted(rows, key=lambda row: (row.key is None, row.key))
    (total,) = usage_report(ledger=ledger, by="tag:none")
    assert total.cost_usd > Decimal(2**63).scaleb(-12)


def test_rows_with_the_same_time_are_all_returned(ledger):
    """Paging through 20,001 rows leaves none out."""
    ledger.append([an_entry(f"{number}") for number in range(20_001)])

    assert [f"{number}" for number in range(20_001)] == [entry.id for entry in ledger.rows(ALWAYS)]


def test_threads_share_a_ledger(ledger):
    """Each of 200 entries from eight threads is stored once."""

    def work(name):
        for number in range(25):
            ledger.append([an_entry(f"{name}-{number}")])

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 200 == len({entry.id for entry in ledger.rows(ALWAYS)})


def test_ledger_can_be_created_by_many_threads_at_once(ledger_url):
    """No thread sees a half-created ledger."""
    barrier, failures = threading.Barrier(8), []

    def work():
        barrier.wait()
        try:
            open_ledger(ledger_url, timeout_s=60).close()
        except LedgerError as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [] == failures


WRITER = """
import sys
from datetime import UTC, datetime
from llm_gateway.cost.ledger import Entry, open_ledger
url, name, count = sys.argv[1:]
ledger = open_ledger(url, timeout_s=60)
for number in range(int(count)):
    ledger.append([Entry(f"{name}-{number}", datetime.now(UTC), name)])
    print(f"{name}-{number}", flush=True)
ledger.close()
"""


def writer(ledger_url, name, count):
    argv = [sys.executable, "-c", WRITER, ledger_url, name, str(count)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


def test_killed_writer_loses_no_confirmed_entry(ledger_url):
    """Entries of four processes are stored and summed, and those of one that is killed as well."""
    steady = [writer(ledger_url, f"steady{number}", 150) for number in range(3)]
    killed = writer(ledger_url, "killed", 10**6)
    kept = [killed.stdout.readline().strip() for _ in range(100)]
    killed.kill()
    kept += killed.communicate()[0].split()
    kept += [line for one in steady for line in one.communicate()[0].split()]

    assert [0, 0, 0] == [one.returncode for one in steady]
    ledger = open_ledger(ledger_url, must_exist=True)
    ids = [entry.id for entry in ledger.rows(ALWAYS)]
    sums = {row.key: row.calls for row in usage_report(ledger=ledger, by="provider")}
    ledger.close()
    assert len(ids) == len(set(ids)) == sum(sums.values())
    assert set(kept) <= set(ids)
    assert len(ids) - len(kept) <= 1  # the writer may be killed between storing a row and printing its id
    assert [150, 150, 150] == [sums[f"steady{number}"] for number in range(3)]


def test_forked_process_opens_its_own_connection(ledger):
    """A forked child and its parent both go on writing."""
    ledger.append([an_entry("before")])
    child = os.fork()
    if child == 0:
        try:
            ledger.append([an_entry("child")])
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    ledger.append([an_entry("after")])

    assert ["before", "child", "after"] == [entry.id for entry in ledger.rows(ALWAYS)]


def test_append_to_a_closed_ledger_raises(ledger):
    """Closing twice is no error."""
    ledger.close()
    ledger.close()
    with pytest.raises(LedgerError, match=r"was closed\n  open it again: open_ledger\(\.\.\.\)"):
        ledger.append([an_entry()])


def test_must_exist_does_not_create_a_ledger(ledger_url):
    """Opening a missing ledger fails each time and leaves nothing behind."""
    for _ in range(2):
        with pytest.raises(LedgerError, match="there is no ledger"):
            open_ledger(ledger_url, must_exist=True)


def test_newer_ledger_version_is_rejected(ledger_url):
    """The message names the command that upgrades the package."""
    open_ledger(ledger_url).close()
    if ledger_url.startswith("sqlite"):
        import sqlite3

        with sqlite3.connect(ledger_url.removeprefix("sqlite:///")) as connection:
            connection.execute("PRAGMA user_version = 7")
        connection.close()
    else:
        with psycopg.connect(ledger_url) as connection:
            connection.execute("UPDATE llm_ledger_version SET version = 7")

    with pytest.raises(LedgerError) as error:
        open_ledger(ledger_url)
    assert "has version 7" in str(error.value)
    assert str(error.value).endswith("versions up to 1\n  pip install --upgrade pytest-llm-gateway")


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"at": datetime(2026, 1, 1)}, "at=datetime"),  # noqa: DTZ001 - a time without a zone is what is tested
        (
            {"cost_usd": Decimal("NaN")},
            "cost_usd=Decimal('NaN')\n  it has to be from 0 to 1,000,000 US dollars, or None",
        ),
        ({"cost_usd": Decimal(-1)}, "cost_usd=Decimal('-1')"),
        ({"latency_s": float("nan")}, "latency_s=nan\n  it has to be seconds from 0, or None"),
        (
            {"usage": TokenUsage(-1)},
            "input_tokens=-1\n  it has to be a whole number from 0 to 1,000,000,000,000, or None",
        ),
        ({"name": ""}, "id=''\n  it has to be a text that no other attempt has"),
    ],
)
def test_invalid_entry_is_rejected(facts, text):
    """Creating an entry with an impossible value raises LedgerError."""
    with pytest.raises(LedgerError) as error:
        an_entry(**facts)
    assert text in str(error.value)

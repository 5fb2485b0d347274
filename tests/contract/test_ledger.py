"""What every ledger promises, kept by SQLite and by a real PostgreSQL server."""

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
def ledger(where):
    opened = open_ledger(where, timeout_s=60)  # a busy machine is no locked ledger
    yield opened
    opened.close()


def an_entry(name="1", **facts):
    return Entry(name, **{"at": NOON, "provider": "openai", **facts})


def test_what_is_appended_comes_back(ledger):
    """Every field, in the order of time; what is not known stays unknown."""
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


def test_an_id_is_taken_once(ledger, where):
    """Within a call, in a later one, and from another connection; the first that came stands."""
    ledger.append([an_entry(), an_entry(provider="other")])
    ledger.append([an_entry(), an_entry("2")])
    again = open_ledger(where)
    again.append([an_entry("2")])
    again.close()

    assert ["1", "2"] == [entry.id for entry in ledger.rows(ALWAYS)]
    (row,) = usage_report(ledger=ledger, by="provider")
    assert ("openai", 2) == (row.key, row.calls)


def test_texts_that_no_database_holds_are_escaped(ledger):
    """A row is not lost for a NUL or half a surrogate pair in the name of a test."""
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


def added_up(entries, by):
    """What a report has to say, added up one by one."""
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


def told(row):
    sums = {**{part: getattr(row.usage, part) for part in PARTS}, "cost_usd": row.cost_usd}
    return (row.calls, row.failed, *((value, row.unknown.get(part, 0)) for part, value in sums.items()))


def test_sums_are_exact(ledger):
    """By everything, over any span, as many as are not known; also past 2**63 picodollars."""
    dice = random.Random(3)
    entries = [any_entry(number, dice) for number in range(300)]
    for start in range(0, 300, 60):
        ledger.append(entries[start : start + 60])
    moments = sorted(entry.at for entry in entries)
    spans = [
        (None, None),
        (date(2026, 11, 15), date(2026, 11, 22)),
        (moments[20], moments[250]),
        (moments[100], moments[101]),
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
            assert added_up(inside, by) == {row.key: told(row) for row in rows}, (by, start, end)
            assert rows == sorted(rows, key=lambda row: (row.key is None, row.key))
    (total,) = usage_report(ledger=ledger, by="tag:none")
    assert total.cost_usd > Decimal(2**63).scaleb(-12)


def test_pages_of_rows_leave_none_out(ledger):
    """Also where many were sent in the same moment."""
    ledger.append([an_entry(f"{number}") for number in range(20_001)])

    assert [f"{number}" for number in range(20_001)] == [entry.id for entry in ledger.rows(ALWAYS)]


def test_threads_share_a_ledger(ledger):
    """Each row is there once."""

    def work(name):
        for number in range(25):
            ledger.append([an_entry(f"{name}-{number}")])

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 200 == len({entry.id for entry in ledger.rows(ALWAYS)})


def test_many_make_a_ledger_at_once(where):
    """Each finds it whole; none takes it for something else while another makes it."""
    barrier, failures = threading.Barrier(8), []

    def work():
        barrier.wait()
        try:
            open_ledger(where, timeout_s=60).close()
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
where, name, count = sys.argv[1:]
ledger = open_ledger(where, timeout_s=60)
for number in range(int(count)):
    ledger.append([Entry(f"{name}-{number}", datetime.now(UTC), name)])
    print(f"{name}-{number}", flush=True)
ledger.close()
"""


def writer(where, name, count):
    argv = [sys.executable, "-c", WRITER, where, name, str(count)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


def test_a_killed_writer_loses_nothing_that_it_was_told_is_kept(where):
    """Of four processes that make the ledger at once; the sums know of each row as well."""
    steady = [writer(where, f"steady{number}", 150) for number in range(3)]
    killed = writer(where, "killed", 10**6)
    kept = [killed.stdout.readline().strip() for _ in range(100)]
    killed.kill()
    kept += killed.communicate()[0].split()
    kept += [line for one in steady for line in one.communicate()[0].split()]

    assert [0, 0, 0] == [one.returncode for one in steady]
    ledger = open_ledger(where, must_exist=True)
    ids = [entry.id for entry in ledger.rows(ALWAYS)]
    sums = {row.key: row.calls for row in usage_report(ledger=ledger, by="provider")}
    ledger.close()
    assert len(ids) == len(set(ids)) == sum(sums.values())
    assert set(kept) <= set(ids)
    assert len(ids) - len(kept) <= 1  # one row may be kept whose writer was killed before it could say so
    assert [150, 150, 150] == [sums[f"steady{number}"] for number in range(3)]


def test_a_child_process_has_a_connection_of_its_own(ledger):
    """One that was forked goes on writing, beside its parent."""
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


def test_a_closed_ledger_says_so(ledger):
    """Closing twice is no error, writing then is."""
    ledger.close()
    ledger.close()
    with pytest.raises(LedgerError, match=r"was closed\n  open it again: open_ledger\(\.\.\.\)"):
        ledger.append([an_entry()])


def test_a_ledger_that_has_to_be_there_is_not_made(where):
    """A report on a wrong name leaves nothing behind."""
    for _ in range(2):
        with pytest.raises(LedgerError, match="there is no ledger"):
            open_ledger(where, must_exist=True)


def test_a_newer_ledger_is_left_alone(where):
    """With what to do about it."""
    open_ledger(where).close()
    if where.startswith("sqlite"):
        import sqlite3

        with sqlite3.connect(where.removeprefix("sqlite:///")) as connection:
            connection.execute("PRAGMA user_version = 7")
        connection.close()
    else:
        with psycopg.connect(where) as connection:
            connection.execute("UPDATE llm_ledger_version SET version = 7")

    with pytest.raises(LedgerError) as error:
        open_ledger(where)
    assert "has version 7" in str(error.value)
    assert str(error.value).endswith("versions up to 1\n  pip install --upgrade pytest-llm-gateway")


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"at": datetime(2026, 1, 1)}, "at=datetime"),  # noqa: DTZ001 - that it has no zone is the claim
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
def test_an_entry_that_cannot_be_is_refused(facts, text):
    """When it is made, so that a ledger always holds what can be added up."""
    with pytest.raises(LedgerError) as error:
        an_entry(**facts)
    assert text in str(error.value)

"""The frozen clock itself, in this process."""
# ruff: noqa: DTZ005, DTZ011, DTZ012  what has no zone is tested as well

import asyncio
import copy
import datetime as dt
import pickle
import sqlite3
import time
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import time_machine
import uvloop
from freezing import freeze_time
from pydantic import TypeAdapter

from llm_gateway.pytest_plugin.clock import FrozenClock

AT = datetime(2001, 2, 3, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
CLOCKS = (time.time, time.time_ns, time.localtime, time.gmtime, time.strftime, datetime, date)
NOW = datetime.now


@pytest.fixture
def freeze():
    """Return a function that freezes the clock at `AT`; it runs again after the test."""
    frozen = FrozenClock()
    yield lambda: (frozen.start(lambda: AT), frozen)[1]
    frozen.stop()
    assert not time_machine.escape_hatch.is_travelling()
    assert CLOCKS == (time.time, time.time_ns, time.localtime, time.gmtime, time.strftime, dt.datetime, dt.date)
    assert datetime is dt.datetime
    assert date is dt.date


def test_dates_and_times_are_frozen_and_counters_run(freeze):
    """In the zone of the recording, for every function that returns the time."""
    zone, counted = time.tzname, (time.monotonic, time.perf_counter, time.sleep)
    freeze()

    assert "2001-02-03 23:30 -0500" == time.strftime("%Y-%m-%d %H:%M %z")
    assert "2001-02-03T23:30:00-05:00" == datetime.now().astimezone().isoformat()
    assert AT == datetime.now(UTC) == datetime.now(timezone(timedelta(hours=3)))
    assert AT.timestamp() == time.time() == time.time_ns() / 1e9 == datetime.now().timestamp()
    assert date(2001, 2, 3) == date.today() == dt.date.fromtimestamp(time.time())
    assert counted == (time.monotonic, time.perf_counter, time.sleep)
    freeze().stop()
    assert zone == time.tzname


@pytest.mark.filterwarnings("ignore:The default date:DeprecationWarning")  # of sqlite3, since Python 3.12
def test_dates_are_of_the_real_types(freeze):
    """Copied, pickled, stored and validated, in modules that are imported later, and under another name."""
    freeze()
    now, today = datetime.now(), date.today()
    adapter = TypeAdapter(dict[str, datetime | date])

    assert (dt.datetime, dt.date) == (type(now), type(today))
    assert (now, today) == pickle.loads(pickle.dumps((copy.copy(now), today)))
    with sqlite3.connect(":memory:") as connection:
        stored = connection.execute("select ?, ?", (now, today)).fetchone()
    connection.close()
    assert ("2001-02-03 23:30:00", "2001-02-03") == stored
    assert {"a": AT, "b": AT.date()} == adapter.validate_python({"a": AT, "b": AT.date()})
    assert AT.replace(tzinfo=None) == NOW()


def test_the_clock_moves(freeze):
    """To the time that the function returns after another call; a pause shows the real time."""
    times = [AT, AT + timedelta(minutes=1)]
    frozen = freeze()
    frozen.start(lambda: times[0])
    frozen.move()
    assert AT == datetime.now(UTC)
    del times[0]
    frozen.move()
    assert AT + timedelta(minutes=1) == datetime.now(UTC)
    frozen.pause()
    assert datetime.now(UTC).year > 2025
    frozen.resume()
    frozen.resume()

    assert "2001-02-03 23:31 -0500" == time.strftime("%Y-%m-%d %H:%M %z")


def test_a_recording_in_utc_changes_no_zone_of_a_test(freeze, monkeypatch):
    """It is the zone of the process only while no other one is set."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    frozen = freeze()
    frozen.start(lambda: AT.astimezone(UTC))
    assert "2001-02-04 04:30 +0000" == time.strftime("%Y-%m-%d %H:%M %z")
    frozen.stop()
    assert "+0900" == time.strftime("%z")
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
def test_event_loops_wait(runner, freeze):
    """That of uvloop too."""

    async def wait():
        async with asyncio.timeout(60):
            await asyncio.sleep(0.01)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(600), 0.01)
        return datetime.now(UTC)

    freeze()
    assert AT == runner(wait())


FREEZES = pytest.mark.parametrize("other", [freeze_time, time_machine.travel], ids=["freezegun", "time-machine"])


@FREEZES
def test_a_clock_that_was_frozen_before_is_left_alone(other, freeze):
    """A class's own freeze wins until it ends."""
    with other("1999-12-31T12:00:00Z"):
        freeze().move()
        assert 1999 == datetime.now(UTC).year
        freeze().pause()
        assert 1999 == datetime.now(UTC).year
    freeze()
    assert AT == datetime.now(UTC)


@FREEZES
def test_a_freeze_inside_the_test_wins(other, freeze):
    """Also over a pause between the phases of the test; then the recorded time is back."""
    frozen = freeze()
    with other("1999-12-31T12:00:00Z"):
        frozen.pause()
        assert 1999 == datetime.now(UTC).year
        frozen.resume()
        assert 1999 == datetime.now(UTC).year

    assert AT == datetime.now(UTC)


@FREEZES
def test_a_freeze_that_outlives_the_test_goes_on(other, freeze):
    """As one of a session's fixture does; when it has ended, the next test has its own time, and then the real one."""
    frozen = freeze()
    theirs = other("1999-12-31T12:00:00Z")
    theirs.start()
    frozen.stop()
    assert 1999 == datetime.now(UTC).year
    freeze()
    assert 1999 == datetime.now(UTC).year
    theirs.stop()
    freeze()
    assert AT == datetime.now(UTC)
    frozen.stop()

    assert abs(time.time() - datetime.now().timestamp()) < 5
    assert datetime.now(UTC).year > 2025

"""The stopped clock itself, in this process."""
# ruff: noqa: DTZ005, DTZ011, DTZ012  what has no zone is tested as well

import asyncio
import copy
import datetime as dt
import pickle
import sqlite3
import sys
import time
import types
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import time_machine
import uvloop
from freezing import freeze_time
from pydantic import TypeAdapter

from llm_gateway.pytest_plugin.clock_freeze import Freeze

AT = datetime(2001, 2, 3, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
CLOCKS = (time.time, time.time_ns, time.localtime, time.gmtime, time.strftime, datetime, date)
LATE = types.ModuleType("late")


@pytest.fixture
def freeze():
    """A clock that stops at `AT` each time it is started, and runs after the test."""
    stopped = Freeze()
    yield lambda: (stopped.start(lambda: AT, AT.utcoffset()), stopped)[1]
    stopped.stop()
    sys.modules.pop("late", None)
    assert CLOCKS == (time.time, time.time_ns, time.localtime, time.gmtime, time.strftime, dt.datetime, dt.date)
    assert datetime is dt.datetime
    assert date is dt.date


def test_everything_that_tells_the_time_stops_and_nothing_that_counts(freeze):
    """In the zone of the recorder, whichever way it is asked for."""
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


def test_dates_stay_what_libraries_take_for_dates(freeze):
    """Compared, copied, pickled, stored, and validated, also by what was made while the clock stood."""
    freeze()
    now, today = datetime.now(), date.today()
    adapter = TypeAdapter(dict[str, datetime | date])

    assert isinstance(now, dt.date)
    assert isinstance(AT, datetime)
    assert (now, today) == pickle.loads(pickle.dumps((copy.copy(now), today)))
    with sqlite3.connect(":memory:") as connection:
        stored = connection.execute("select ?, ?", (now, today)).fetchone()
    connection.close()
    assert ("2001-02-03 23:30:00", "2001-02-03") == stored
    freeze().stop()
    assert {"a": AT, "b": AT.date()} == adapter.validate_python({"a": AT, "b": AT.date()})


def test_a_module_that_is_imported_meanwhile_gets_the_clock_back(freeze):
    """And a class that holds the stopped one reads the real one."""
    freeze()
    sys.modules["late"] = LATE
    LATE.datetime, LATE.time, LATE.mine = dt.datetime, time.time, "mine"
    held = dt.datetime
    freeze().stop()

    assert (datetime, time.time, "mine") == (LATE.datetime, LATE.time, LATE.mine)
    assert abs(datetime.now(UTC) - held.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
def test_event_loops_wait(runner, freeze):
    """That of uvloop too."""

    async def wait():
        async with asyncio.timeout(5):
            await asyncio.sleep(0.01)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(5), 0.01)
        return datetime.now(UTC)

    freeze()
    assert AT == runner(wait())


@pytest.mark.parametrize("frozen", [freeze_time, time_machine.travel], ids=["freezegun", "time-machine"])
def test_a_clock_that_was_moved_before_is_left_alone(frozen, freeze):
    """What a test's surroundings ask for wins, until they are gone."""
    with frozen("1999-12-31T12:00:00Z"):
        freeze()
        assert 1999 == datetime.now(UTC).year
    freeze()
    assert AT == datetime.now(UTC)


def test_a_freeze_that_outlives_the_test_goes_on(freeze):
    """As one of a session's fixture does; when it ends, everything is as it was."""
    stopped = freeze()
    theirs = freeze_time("1999-12-31T12:00:00Z")
    theirs.start()
    stopped.stop()

    assert 1999 == datetime.now(UTC).year
    freeze()
    assert 1999 == datetime.now(UTC).year
    theirs.stop()
    assert abs(time.time() - datetime.now().timestamp()) < 5
    assert datetime.now(UTC).year > 2025

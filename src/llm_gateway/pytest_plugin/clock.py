"""The clock of a test while it replays: real, or as it was when the test was recorded."""

from __future__ import annotations

import os
import time
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from llm_gateway.pytest_plugin.marker import TIMES, marked, nearest

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from llm_gateway.interception.cassette import Cassette

__all__ = ["Clock", "FrozenClock"]

_TIME = (time.time,)
"""The function itself: freezegun replaces names of modules, time-machine changes what the function returns."""
_NOT_UTC = timezone(timedelta(hours=1))
"""For a time in UTC time-machine would set the variable TZ, also below a ``travel`` of the test's own."""


class Clock:
    """
    The clock of the tests of one run.

    Attributes:
        default: ``real`` or ``recorded``, for tests whose marker has no ``time``.

        frozen: The frozen clock, once a test has needed one.

    Raises:
        pytest.UsageError: The ini file names an unknown clock.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.default = _checked(config.getini("llm_time"))
        self.frozen: FrozenClock | None = None

    def start(self, item: pytest.Item, cassette: Cassette) -> None:
        """
        Freeze the clock for *item*, which wants the recorded time, if it replays.

        Raises:
            pytest.fail.Exception: Its marker wants a time that no file has.
        """
        if cassette.mode.connects:
            return
        times = cassette.recorded_times()
        if not times:
            if marked(item, "time") or cassette.exists:
                _fail(cassette, is_faked="fake_llm" in getattr(item, "fixturenames", ()))
            return
        self.frozen = self.frozen or FrozenClock()
        self.frozen.start(_reader(cassette, times))
        cassette.on_call(self.frozen.move)

    def stop(self) -> None:
        """Let it run again."""
        if self.frozen is not None:
            self.frozen.stop()


def _checked(name: str) -> str:
    if name not in TIMES:
        raise pytest.UsageError(
            f"llm_time = {name!r} is not known\n"
            f"  it takes {', '.join(TIMES)}\n"
            f"  set it in the pytest section of your ini file, for example: llm_time = {nearest(name, TIMES)}"
        )
    return name


def _reader(cassette: Cassette, times: list[datetime]) -> Callable[[], datetime]:
    """Return a function for the current time: when the next call was recorded, or when the last one had ended."""
    calls, zone = cassette.calls, times[0].tzinfo

    def read() -> datetime:
        used = sum(call.source == "replay" for call in calls)
        return times[min(used, len(times) - 1)].astimezone(zone)

    return read


def _fail(cassette: Cassette, *, is_faked: bool) -> NoReturn:
    from llm_gateway.cassettes.document import shown
    from llm_gateway.exceptions import CassetteReadError

    path = shown(cassette.path)
    cause = f"no exchange in {path} has a time" if cassette.exists else f"there is no cassette {path} yet"
    to_record = "to record it"
    if is_faked and not cassette.exists:
        cause += ", and what fake_llm answers is written to none"
        to_record = "to record calls that fake_llm.only(...) leaves to it"
    error = CassetteReadError(
        "time='recorded' needs the time of a recording, and there is none",
        cause=cause,
        fix=f'{to_record}: {cassette.record_command}\nto keep the real clock: @pytest.mark.llm(time="real")',
    )
    raise pytest.fail.Exception(error.report, pytrace=False)


class FrozenClock:
    """
    The process's clock, frozen with time-machine at the time that a function returns.

    A ``freeze_time`` or ``travel`` of the test's own goes on top. One that was there before is left as it is, and so
    is one of time-machine that outlives the test: it could only be ended in the order in which it was started.
    """

    def __init__(self) -> None:
        self._read: Callable[[], datetime] | None = None
        self._shown: datetime | None = None
        self._travel: Any = None
        self._traveller: Any = None
        self._zone = _Zone()

    def start(self, read: Callable[[], datetime]) -> None:
        """Show the time that *read* returns, with its offset as local time, until `stop`."""
        self.stop()
        self._read = read
        self.resume()

    def resume(self) -> None:
        """Show the time again; a clock that something else has frozen is left as it is."""
        import time_machine

        if self._travel is not None or self._read is None or time_machine.escape_hatch.is_travelling():
            return
        now = self._read()
        travel = time_machine.travel(now.astimezone(_NOT_UTC), tick=False)
        try:
            self._traveller = travel.start()
        except RuntimeError:  # freezegun is active
            return
        self._travel, self._shown = travel, now
        offset = now.utcoffset()
        assert offset is not None
        self._zone.set(offset, now)

    def move(self) -> None:
        """Show the time that is current after another call."""
        if self._travel is not None and self._read is not None and (now := self._read()) != self._shown:
            self._traveller.move_to(now.astimezone(_NOT_UTC))
            self._shown = now

    def pause(self) -> None:
        """Show the real time until `resume`, unless a fixture has frozen the clock on top of this one."""
        if self._is_shown_by(time.time):
            self._end()

    def stop(self) -> None:
        """Show the real time again; under a ``travel`` that outlives the test, when that has ended."""
        self._read = None
        self._zone.reset()
        if self._is_shown_by(_TIME[0]):
            self._end()

    def _is_shown_by(self, clock: Callable[[], float]) -> bool:
        return self._travel is not None and self._shown is not None and clock() == self._shown.timestamp()

    def _end(self) -> None:
        self._zone.reset()
        self._travel.stop()
        self._travel = self._traveller = self._shown = None


class _Zone:
    """The time zone of the process, as the C library has it; Windows cannot change it."""

    def __init__(self) -> None:
        self._old: tuple[str | None] | None = None

    def set(self, offset: timedelta, at: datetime) -> None:
        """Make local time *offset* ahead of UTC, unless it was that already at the time *at*."""
        seconds = int(offset.total_seconds())
        if not hasattr(time, "tzset") or time.localtime(at.timestamp()).tm_gmtoff == seconds:
            return
        self._old = (os.environ.get("TZ"),)
        hours, minutes = divmod(abs(seconds) // 60, 60)
        ahead, west = "+-" if seconds >= 0 else "-+"  # POSIX counts westward
        os.environ["TZ"] = f"<{ahead}{hours:02}{minutes:02}>{west}{hours:02}:{minutes:02}"
        time.tzset()

    def reset(self) -> None:
        """Restore the zone that `set` replaced."""
        if self._old is None:
            return
        (old,), self._old = self._old, None
        if old is None:
            os.environ.pop("TZ", None)
        else:
            os.environ["TZ"] = old
        time.tzset()

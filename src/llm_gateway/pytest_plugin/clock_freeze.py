"""
Stop the clock of this process and let it run again, at a price that a test does not feel.

freezegun's own ``start`` looks through every loaded module each time, and stops the clocks that only count as well.
Here each module is searched once, and freezegun's stacks are used as it uses them, so that a ``freeze_time`` of the
test's own goes on top.
"""

from __future__ import annotations

import copyreg
import os
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from freezegun import api

from llm_gateway.cassettes.clock import is_travelling
from llm_gateway.pytest_plugin.clock_fakes import PAIRS, Moment, repair
from llm_gateway.pytest_plugin.clock_places import Places

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

__all__ = ["Freeze"]

_REAL = ("llm_gateway", "freezegun", "time_machine", "_pytest.timing", "_datetime")
"""Modules that keep the clock: it is their own, or what a run is measured by."""


class Freeze:
    """The stopped clock. One for the process; made when a test first asks for it."""

    def __init__(self) -> None:
        repair()
        self._places = Places(PAIRS, _REAL)
        self._moment = Moment()
        self._zone = _Zone()
        self._is_on = False

    def start(self, read: Callable[[], datetime], offset: timedelta) -> None:
        """
        Show the time that *read* gives, and local time *offset* ahead of UTC.

        A clock that somebody else has stopped is left as it is.
        """
        stacks: Any = api
        if is_travelling() or any(one is not self._moment for one in stacks.freeze_factories):
            return
        if not self._is_on:
            self._switch_on()
        self._moment.read = read
        stacks.tz_offsets[0] = offset
        self._zone.set(offset, read())

    def _switch_on(self) -> None:
        stacks: Any = api
        stacks.freeze_factories.append(self._moment)
        stacks.tz_offsets.append(None)
        stacks.ignore_lists.append(())  # a list would make the time depend on who asks
        stacks.tick_flags.append(False)
        copyreg.dispatch_table[api.real_datetime] = api.pickle_fake_datetime
        copyreg.dispatch_table[api.real_date] = api.pickle_fake_date
        self._places.swap()
        self._is_on = True

    def stop(self) -> None:
        """Show the real time again; while a ``freeze_time`` that the test left behind is in force, from below it."""
        if not self._is_on:
            return
        self._moment.read = None
        self._zone.reset()
        if len(api.freeze_factories) == 1:
            self._switch_off()
        else:
            api.tz_offsets[0] = timedelta(seconds=time.localtime(api.real_time()).tm_gmtoff)

    def _switch_off(self) -> None:
        for stack in (api.freeze_factories, api.tz_offsets, api.ignore_lists, api.tick_flags):
            del stack[0]
        for real in (api.real_datetime, api.real_date):
            copyreg.dispatch_table.pop(real, None)
        self._places.restore()
        self._is_on = False


class _Zone:
    """The time zone of the process, as the C library knows it; Windows lets nobody change it."""

    def __init__(self) -> None:
        self._old: tuple[str | None] | None = None

    def set(self, offset: timedelta, at: datetime) -> None:
        """Let local time be *offset* ahead of UTC, unless it was that already *at* this moment."""
        self.reset()
        seconds = int(offset.total_seconds())
        if api.real_localtime(at.timestamp()).tm_gmtoff == seconds or not hasattr(time, "tzset"):
            return
        self._old = (os.environ.get("TZ"),)
        hours, minutes = divmod(abs(seconds) // 60, 60)
        ahead, west = "+-" if seconds >= 0 else "-+"  # POSIX counts westward
        os.environ["TZ"] = f"<{ahead}{hours:02}{minutes:02}>{west}{hours:02}:{minutes:02}"
        time.tzset()

    def reset(self) -> None:
        """Take it back."""
        if self._old is None:
            return
        (old,), self._old = self._old, None
        if old is None:
            os.environ.pop("TZ", None)
        else:
            os.environ["TZ"] = old
        time.tzset()

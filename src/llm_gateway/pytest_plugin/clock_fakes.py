"""What takes the place of the clock: freezegun's classes and functions, put right where a replay needs them right."""

from __future__ import annotations

import functools
import time
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from freezegun import api
from pydantic import TypeAdapter

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PAIRS", "Moment", "repair"]


def localtime(seconds: float | None = None) -> time.struct_time:
    """Local time with its zone, which freezegun's lacks; the zone of the process is the recorder's."""
    return api.real_localtime(api.fake_time() if seconds is None else seconds)


def strftime(form: str, moment: Any = None) -> str:
    """*moment* as *form* says; now, where it is None."""
    return api.real_strftime(form, localtime() if moment is None else moment)


PAIRS: dict[object, object] = {
    api.real_datetime: api.FakeDatetime,
    api.real_date: api.FakeDate,
    api.real_time: api.fake_time,
    api.real_time_ns: api.fake_time_ns,
    api.real_localtime: localtime,
    api.real_gmtime: api.fake_gmtime,
    api.real_strftime: strftime,
}
"""The clock on the wall. Those that only count, ``monotonic`` and ``perf_counter``, stay real: waiting needs them."""


class Moment:
    """
    What freezegun asks for the time.

    Attributes:
        read: Gives the recorded time; None lets the real one through.
    """

    def __init__(self) -> None:
        self.read: Callable[[], datetime] | None = None

    def __call__(self) -> datetime:
        """The time in UTC, without a zone."""
        moment = self.read() if self.read else api.real_datetime.now(UTC)
        return moment.astimezone(UTC).replace(tzinfo=None)


@functools.cache
def repair() -> None:
    """Let freezegun's classes know pydantic, zones of a clock with an offset, and that the clock runs again."""
    fakes: dict[Any, Any] = {api.FakeDatetime: api.real_datetime, api.FakeDate: api.real_date}
    for fake, real in fakes.items():
        TypeAdapter(real)  # pydantic makes its table of types late; with a stopped clock it would be wrong for ever
        fake.__get_pydantic_core_schema__ = _schema_of(real)
    stated: Any = api.FakeDatetime
    stated.now = _now_from(stated.now.__func__)


def _schema_of(real: Any) -> Any:
    """A model that is defined while the clock stands has fields of the *real* type, and is good for ever."""

    def schema(cls: Any, source: Any, handler: Any) -> Any:
        del cls, source
        return handler.generate_schema(real)

    return classmethod(schema)


def _now_from(plain: Any) -> Any:
    def now(cls: Any, tz: tzinfo | None = None) -> Any:
        if not api.freeze_factories:
            return api.real_datetime.now(tz)  # held by a class that was made while the clock stood
        if tz is None or not isinstance(api.freeze_factories[-1], Moment):
            return plain(cls, tz)
        return plain(cls, tz) - api.tz_offsets[-1]  # which freezegun adds to the time of any zone

    return classmethod(now)

"""What every ledger can do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from llm_gateway.cost.ledger.entry import Entry
from llm_gateway.cost.totals import Totals
from llm_gateway.exceptions import LedgerError

__all__ = ["Ledger", "Span"]

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """The time from *start* until before *end*."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, start: date | datetime | None, end: date | datetime | None) -> Span:
        """
        Return the span between two times; a date is that whole day in UTC, None leaves a side open.

        Raises:
            LedgerError: A time has no time zone, or the end is before the start.
        """
        span = cls(_FIRST if start is None else _time(start), _LAST if end is None else _end(end))
        if span.end < span.start:
            first, last = ((side or other).isoformat() for side, other in ((start, span.start), (end, span.end)))
            raise LedgerError(
                f"a report cannot go from {first} back to {last}",
                fix=f"the earlier one comes first: llm-gateway usage --since {last} --until {first}",
            )
        return span


def _time(value: date | datetime) -> datetime:
    if not isinstance(value, datetime):
        return datetime.combine(value, time(), UTC)
    if value.utcoffset() is None:
        raise LedgerError(f"{value!r} has no time zone", fix="for example: datetime.now(UTC) - timedelta(days=7)")
    return value.astimezone(UTC)


def _end(value: date | datetime) -> datetime:
    if isinstance(value, datetime):
        return _time(value)
    return min(_time(value), _LAST - timedelta(days=1)) + timedelta(days=1)


class Ledger(Protocol):
    """
    A list of attempts that only grows. One object serves all threads of a process, also after a fork.

    Every method raises LedgerError when the store cannot be used; the text has the fix. As text it is its address,
    without a password.
    """

    def append(self, entries: Iterable[Entry]) -> None:
        """
        Add *entries*, all of them or, on an error, none; an id that is there already changes nothing.

        What was appended when this returns outlives the process.
        """
        ...

    def report(self, by: str, span: Span) -> list[tuple[str | None, Totals]]:
        """
        Return the sums of the entries in *span* for each value of *by*, in no order.

        *by* is ``day``, ``provider``, ``model``, ``session``, ``test``, ``tag:NAME``, or ``tag`` for each name with
        each value, as ``team=search``. None is the group of entries that have no such value; ``tag`` leaves them out.
        """
        ...

    def rows(self, span: Span) -> Iterator[Entry]:
        """Yield the entries in *span*, in the order of time, then of their coming."""
        ...

    def close(self) -> None:
        """Give the store back. Further calls raise LedgerError, but for this one."""
        ...

"""What was used and spent, by day or by anything else that entries have."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from llm_gateway.cost.ledger import Ledger, Span, open_ledger
from llm_gateway.cost.totals import Totals
from llm_gateway.exceptions import LedgerError
from llm_gateway.usage import COUNTS, TokenUsage

__all__ = ["GROUPS", "UsageRow", "check_group", "usage_report"]

GROUPS = ("day", "week", "month", "provider", "model", "session", "test", "tag", "tag:NAME")


@dataclass(frozen=True, slots=True)
class UsageRow:
    """
    One group of a report.

    Attributes:
        key: The day, the model and so on; None for the calls that have none.

        calls: How many attempts, *failed* ones included.

        usage: Each part over the calls that report it; None where none does.

        cost_usd: US dollars over the calls whose cost is known; None where none is.

        unknown: How many calls do not report a part of *usage*, or *cost_usd*; the sums are without them. A part that
            all calls report is not in it.
    """

    key: str | None
    calls: int
    failed: int
    usage: TokenUsage
    cost_usd: Decimal | None
    unknown: Mapping[str, int]

    @classmethod
    def of(cls, key: str | None, totals: Totals) -> UsageRow:
        """Return the row for *totals*."""
        cost: Decimal | None = totals.partial("cost_usd")
        unknown = {name: count for name in (*COUNTS, "cost_usd") if (count := totals.unknown(name))}
        return cls(key, totals.calls, totals.failed_calls, totals.known_usage, cost, unknown)


def usage_report(
    start: date | datetime | None, end: date | datetime | None, *, ledger: Ledger | str | Path, by: str = "day"
) -> list[UsageRow]:
    """
    Sum what *ledger* has from *start* until before *end*, one row for each value of *by*, in order.

    Args:
        start: A time, or a date for the beginning of that day in UTC. None leaves it open.

        end: A time, or a date for the end of that day in UTC. None leaves it open.

        ledger: An open one, or where it is.

        by: ``day``, ``week`` or ``month`` (in UTC), ``provider``, ``model``, ``session``, ``test``, ``tag:NAME``, or
            ``tag`` for each name with each value, where a call counts once for each of its tags.

    Raises:
        LedgerError: The ledger cannot be read, or there is no such *by*.
    """
    check_group(by)
    span = Span.of(start, end)
    if not isinstance(ledger, str | Path):
        return rows_by(ledger, by, span)
    opened = open_ledger(ledger, must_exist=True)
    try:
        return rows_by(opened, by, span)
    finally:
        opened.close()


def rows_by(ledger: Ledger, by: str, span: Span) -> list[UsageRow]:
    """Return the rows of a report, the group without a value last."""
    label, stored = _CALENDAR.get(by, (None, by))
    groups: dict[str | None, Totals] = {}
    for key, sums in ledger.report(stored, span):
        name = label(date.fromisoformat(key)) if label and key else key
        groups[name] = groups.get(name, Totals()) + sums
    return [UsageRow.of(key, groups[key]) for key in sorted(groups, key=lambda key: (key is None, key))]


def _week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


_CALENDAR: dict[str, tuple[Callable[[date], str] | None, str]] = {"week": (_week, "day"), "month": (_month, "day")}


def check_group(by: str, known: Sequence[str] = GROUPS) -> None:
    """
    Pass where *by* is one of *known*, ``tag:NAME`` meaning any name.

    Raises:
        LedgerError: It is not; offers the nearest.
    """
    if ("tag:NAME" if by.startswith("tag:") and by != "tag:" else by) in known:
        return
    near = difflib.get_close_matches(by, known, n=1)
    raise LedgerError(
        f"a report cannot be by {by!r}",
        cause=f"did you mean {near[0]!r}?" if near else None,
        fix=f"it can be by {', '.join(known)}",
    )

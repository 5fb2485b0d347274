"""Amounts of money do not depend on the `decimal` context of the code under test."""

import decimal
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from llm_gateway import usage_report
from llm_gateway.cost import CostTracker
from llm_gateway.cost.budget import Limits, overruns
from llm_gateway.cost.ledger import Entry, Span, open_ledger
from llm_gateway.cost.prices import price
from llm_gateway.cost.reservation import MemoryReservations
from llm_gateway.cost.shared_reservations import SharedReservations
from llm_gateway.cost.totals import Totals
from llm_gateway.pytest_plugin.reports.document import sums
from llm_gateway.record import CallRecord
from llm_gateway.types import TokenUsage

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
COST = Decimal("0.512342123456")
TWICE = "1.024684246912"
CALL = CallRecord(provider="acme", api="acme.chat", model_served="m", usage=TokenUsage(1, 1), cost_usd=COST)


def priced(_):
    usage = TokenUsage(123_457, 12_345)
    return price("anthropic", "claude-haiku-4-5", usage, at=NOON).cost_usd, Decimal("0.185182")


def tracked(_):
    tracker = CostTracker(limit_usd=Decimal(10))
    for _ in range(2):
        tracker.note(CALL, tracker.reserve("m", COST, is_bound=True))
    return tracker.summary()["acme:m"]["cost_usd"], tracker.total_cost_usd


def both_kinds(folder):
    both = [MemoryReservations(), SharedReservations(folder / "reservations.sqlite3")]
    for reservations in both:
        for _ in range(2):
            reservations.settle(reservations.reserve(COST, Decimal(10)), COST)
    return tuple(reservations.spent()[0] for reservations in both)


def budgeted(_):
    (line,) = overruns(Limits(max_cost_usd=Decimal("0.5")), [CALL, CALL])
    return line, f"${TWICE} spent, $0.524684246912 over max_cost_usd=0.5"


def kept(folder):
    with closing(open_ledger(folder / "ledger.db")) as ledger:
        ledger.append(Entry(name, NOON, "acme", cost_usd=COST) for name in "ab")
        (row,) = usage_report(ledger=ledger)
        assert [COST, COST] == [one.cost_usd for one in ledger.rows(Span.of(None, None))]
    return row.cost_usd, Decimal(TWICE)


def reported(_):
    assert TWICE == sums([CALL, CALL])["cost_usd"]
    return Totals.of([CALL, CALL]).cost_usd, Decimal(TWICE)


@pytest.mark.parametrize("reckon", [priced, tracked, both_kinds, budgeted, kept, reported])
def test_money_is_exact_under_any_decimal_context(reckon, tmp_path):
    """It is neither rounded to the context's precision, nor stopped by its traps."""
    with decimal.localcontext() as context:
        context.prec = 3
        context.traps[decimal.Inexact] = True
        found, wanted = reckon(tmp_path)

    assert wanted == found


IMPORTED_LATE = """
import decimal, sys
decimal.getcontext().prec = 2
from datetime import UTC, datetime
from llm_gateway import usage_report
from llm_gateway.cost.ledger import Entry, open_ledger
ledger = open_ledger(sys.argv[1])
ledger.append([Entry("1", datetime(2026, 11, 1, tzinfo=UTC), "acme", cost_usd=decimal.Decimal("0.0123"))])
ledger.close()
print(*(row.cost_usd for row in usage_report(ledger=sys.argv[1])))
"""


def test_the_decimal_context_at_import_changes_no_amount(tmp_path):
    """A test that sets a precision may be the first to import a module."""
    run = [sys.executable, "-c", IMPORTED_LATE, str(tmp_path / "ledger.db")]
    done = subprocess.run(run, capture_output=True, text=True, check=True)

    assert "0.0123\n" == done.stdout

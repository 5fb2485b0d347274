"""The document that every report is made from: plain data, documented in docs/report.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import pytest

from llm_gateway.cost.money import exact
from llm_gateway.cost.totals import Totals
from llm_gateway.record import CallRecord
from llm_gateway.usage import MAIN_COUNTS

__all__ = ["ANSWERED", "SCHEMA", "CollectedTest", "build", "dollars", "model_rows", "sums"]

SCHEMA = 1
OUTCOMES = ("failed", "error", "xpassed", "xfailed", "skipped", "passed", "unfinished")
"""Ordered: of the outcomes of its phases a test gets the first in this order."""


class CollectedTest:
    """
    A test with the data of its phases. Of a test that is rerun, the last run sets the outcome; calls of all runs count.

    Attributes:
        id: Its node id.

        uses_llm: Whether it used a cassette, or called a provider without one.
    """

    def __init__(self, test_id: str) -> None:
        self.id = test_id
        self.uses_llm = False
        self.outcome = "unfinished"
        self.duration_s = 0.0
        self.calls: list[CallRecord] = []
        self.blocked: list[str] = []
        self.missed: list[str] = []
        self.budget: dict[str, Any] | None = None
        self.cassette: str | None = None

    def add(self, report: pytest.TestReport) -> None:
        """Add the data of one phase."""
        if report.when == "setup":
            self.outcome, self.duration_s = "unfinished", 0.0
        self.outcome = min(self.outcome, _outcome(report), key=OUTCOMES.index)
        self.duration_s += report.duration
        data = getattr(report, "llm_gateway", None)
        if data is not None:
            self._add_calls(data)

    def _add_calls(self, data: dict[str, Any]) -> None:
        self.uses_llm = True
        self.calls += data["calls"]
        self.blocked += data["refused"]
        self.missed += data["missed"]
        self.budget = data["budget"] or self.budget
        self.cassette = data["outcome"] or self.cassette


def _outcome(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail") and report.outcome != "failed":
        return "xpassed" if report.passed else "xfailed"
    if report.failed:
        return "error" if report.when in ("setup", "teardown") else "failed"
    if report.skipped:
        return "skipped"
    return "passed" if report.when == "call" else "unfinished"


def build(
    run: dict[str, Any],
    tests: Sequence[CollectedTest],
    blocked: Iterable[tuple[str | None, str]],
    broken_modules: int = 0,
) -> dict[str, Any]:
    """
    Return the document of one run.

    Args:
        run: Project, mode, start, duration and exit code.

        tests: Every test, whether it used a model or not.

        blocked: Test (None outside any) and call of each call that was blocked.

        broken_modules: Number of modules that pytest could not collect; they count as errors.
    """
    counts = Counter(test.outcome for test in tests) + Counter(error=broken_modules)
    mine = sorted((test for test in tests if test.uses_llm), key=lambda test: test.id)
    calls = [call for test in mine for call in test.calls]
    return {
        "schema": SCHEMA,
        "run": {**run, "outcomes": {name: counts[name] for name in reversed(OUTCOMES)}},
        "totals": {
            "all": sums(calls),
            "spent": sums(call for call in calls if call.source in ("record", "live")),
            **{source: sums(call for call in calls if call.source == source) for source in ANSWERED},
            "faked": sum(call.source == "fake" for call in calls),
            "missed": sum(call.source == "miss" for call in calls),
            "refused": sum(call.source == "refused" for call in calls),
        },
        "models": model_rows(calls),
        "tests": [_test(test) for test in mine],
        "blocked": [{"test": test, "call": call} for test, call in dict.fromkeys(blocked)],
    }


def _test(test: CollectedTest) -> dict[str, Any]:
    return {
        "id": test.id,
        "outcome": test.outcome,
        "duration_s": round(test.duration_s, 4),
        "totals": sums(test.calls),
        "budget": test.budget,
        "missed": test.missed,
        "blocked": test.blocked,
        "cassette": test.cassette,
        "calls": [_call(call) for call in test.calls],
    }


def _call(call: CallRecord) -> dict[str, Any]:
    plain = call.to_dict(_OF_A_CALL)
    return {
        "served": call.source,
        "model": call.model or None,
        **plain,
        **{name: getattr(call.usage, name, None) for name in MAIN_COUNTS},
        "cost_usd": None if call.cost_usd is None else dollars(call.cost_usd),
        "recorded_at": call.started_at.isoformat() if call.started_at else None,
    }


_OF_A_CALL = ("provider", "api", "status", "error", "is_billed", "duration_s")


ANSWERED = ("replay", "record", "live")
"""The sources of calls that a report adds up; scripts, faults and calls that were not made are counted apart."""


def sums(calls: Iterable[CallRecord]) -> dict[str, Any]:
    """Return the sums of the *calls* whose source is in `ANSWERED`."""
    return as_row(Totals.of(call for call in calls if call.source in ANSWERED))


def as_row(totals: Totals) -> dict[str, Any]:
    """
    Return *totals* as values for JSON.

    A sum covers the calls that reported the number, and is None when there were calls and none of them did.
    """
    cost: Decimal | None = totals.partial("cost_usd")
    return {
        "calls": totals.calls,
        "model_calls": totals.model_calls,
        **{name: totals.partial(name) for name in (*MAIN_COUNTS, "fresh_input_tokens")},
        "cost_usd": None if cost is None else dollars(cost),
        "waited_s": None if totals.waited_s is None else round(totals.waited_s, 4),
        "unknown": {name: totals.unknown(name) for name in (*MAIN_COUNTS, "cost_usd")},
    }


def dollars(amount: Decimal) -> str:
    """Return an exact amount without an exponent: ``0.0000054``."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text


@exact()
def model_rows(calls: Iterable[CallRecord]) -> list[dict[str, Any]]:
    """Return the sums of each model that was called, the most expensive first."""
    groups: dict[tuple[str | None, str | None], list[CallRecord]] = {}
    for call in calls:
        if call.is_model_call and call.source in ANSWERED:
            groups.setdefault((call.provider, call.model or None), []).append(call)
    rows = [(provider, model, Totals.of(group)) for (provider, model), group in groups.items()]
    rows.sort(key=lambda row: (-row[2].known_cost_usd, -row[2].sum_known("input_tokens"), str(row[1])))
    return [{"provider": provider, "model": model, "totals": as_row(totals)} for provider, model, totals in rows]

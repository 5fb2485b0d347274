"""What is known of one test, gathered from the reports of its phases."""

from __future__ import annotations

from typing import Any

import pytest

from llm_gateway.record import CallRecord

__all__ = ["OUTCOMES", "Fact"]

OUTCOMES = ("failed", "error", "xpassed", "xfailed", "skipped", "passed", "unfinished")
"""From the one that stands for the whole test to the one that stands for it only where no other does."""


class Fact:
    """
    One test. Of a test that runs again, the last try gives the outcome; what every try called counts.

    Attributes:
        id: pytest's name for it.

        uses_llm: Whether it asked for a cassette, or called a provider without one.
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
        """Take in one phase."""
        if report.when == "setup":
            self.outcome, self.duration_s = "unfinished", 0.0
        self.outcome = min(self.outcome, _outcome(report), key=OUTCOMES.index)
        self.duration_s += report.duration
        told = getattr(report, "llm_gateway", None)
        if told is not None:
            self._add_told(told)

    def _add_told(self, told: dict[str, Any]) -> None:
        self.uses_llm = True
        self.calls += told["calls"]
        self.blocked += told["refused"]
        self.missed += told["missed"]
        self.budget = told["budget"] or self.budget
        self.cassette = told["outcome"] or self.cassette


def _outcome(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail") and report.outcome != "failed":
        return "xpassed" if report.passed else "xfailed"
    if report.failed:
        return "error" if report.when in ("setup", "teardown") else "failed"
    if report.skipped:
        return "skipped"
    return "passed" if report.when == "call" else "unfinished"

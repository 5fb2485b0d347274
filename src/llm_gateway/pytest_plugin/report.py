"""The summary at the end of a run: calls, their cost, and calls that were blocked."""

from __future__ import annotations

import itertools
import os
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from llm_gateway.pytest_plugin.environment import has_key

if TYPE_CHECKING:
    from collections.abc import Generator

    from llm_gateway.cost.totals import Totals
    from llm_gateway.record import CallRecord

__all__ = ["Report"]

_SOURCES = ("replay", "fake", "record", "live", "fault", "miss", "refused")
_NOT_REAL = {
    "fake": "answered by a script",
    "fault": "failed by an injected fault",
    "miss": "found no answer",
    "refused": "not made, by a limit on cost or calls",
}
_MOST_TESTS = 3
_NOTABLE_S = 0.1
_NO_KEY = "no key  nothing could be called: export ANTHROPIC_API_KEY=... (or OPENAI_API_KEY, ...), then record again"


class Report:
    """Collect what the reports of all workers carry, and print it once."""

    def __init__(self, config: pytest.Config, mode_name: str) -> None:
        self._config = config
        self._mode_name = mode_name
        self._tests: dict[str, list[CallRecord]] = defaultdict(list)
        self.refused: list[tuple[str | None, str]] = []
        """The test that made the call (None outside any), and the call."""
        self._saved = 0
        self._not_saved: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the calls of one phase of a test."""
        data = getattr(report, "llm_gateway", None)
        if data is None:
            return
        self._tests[report.nodeid] += data["calls"]
        self.refused += zip(itertools.repeat(report.nodeid), data["refused"])
        self._saved += data["outcome"] == "saved"
        if data["outcome"] == "not saved":
            self._not_saved.append(report.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_report_to_serializable(self) -> Generator[None, Any, Any]:
        """Turn the records of a report into plain data when it leaves the process, as with xdist."""
        data = yield
        if data is not None and "llm_gateway" in data:
            given = data["llm_gateway"]
            data["llm_gateway"] = {**given, "calls": [one.to_dict() for one in given["calls"]]}
        return data

    @pytest.hookimpl(wrapper=True)
    def pytest_report_from_serializable(self) -> Generator[None, Any, Any]:
        """Turn the plain data back into records."""
        report = yield
        given = getattr(report, "llm_gateway", None)
        if given is not None:
            from llm_gateway.record import CallRecord

            report.llm_gateway = {**given, "calls": [CallRecord.from_dict(one) for one in given["calls"]]}
        return report

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Collect the calls that a worker blocked outside any test."""
        self.refused += [(None, what) for what in getattr(node, "workeroutput", {}).get("llm_gateway", ())]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Keep the calls that were blocked outside any test; a worker sends them to the controller."""
        from llm_gateway.interception import guard

        outside = [one.what for one in guard.refusals if one.test_id is None]
        output = getattr(session.config, "workeroutput", None)
        if output is None:
            self.refused += [(None, what) for what in outside]
        else:
            output["llm_gateway"] = outside

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the summary, unless there is nothing to report."""
        if not any(self._tests.values()) and not self.refused and not self._not_saved:
            return
        terminalreporter.section(f"LLM calls ({self._mode_name})")
        for line in [
            *self._sums(self._tests),
            *self._costliest_and_slowest(self._tests),
            *self._files(),
            *self._blocked(),
        ]:
            terminalreporter.write_line(line)

    def _sums(self, records: dict[str, list[CallRecord]]) -> list[str]:
        from llm_gateway.cost.totals import Totals

        lines = []
        for source in _SOURCES:
            mine = [one for calls in records.values() for one in calls if one.source == source]
            if mine and source in _NOT_REAL:
                lines.append(f"{source:<8}{_count(len(mine), 'call')} {_NOT_REAL[source]}")
            elif mine:
                lines.append(_sum_line(source, Totals.of(mine)))
        return lines

    def _costliest_and_slowest(self, records: dict[str, list[CallRecord]]) -> list[str]:
        from llm_gateway.cost.money import shown
        from llm_gateway.cost.totals import Totals

        sums = {test: Totals.of(one for one in calls if one.source not in _NOT_REAL) for test, calls in records.items()}
        costs = [(test, one.known_cost_usd) for test, one in sums.items() if one.known_cost_usd]
        waits = [(test, seconds) for test, one in sums.items() if (seconds := one.waited_s or 0.0) >= _NOTABLE_S]
        costs.sort(key=lambda row: -row[1])
        waits.sort(key=lambda row: -row[1])
        return [f"most expensive {shown(cost)} {test}" for test, cost in costs[:_MOST_TESTS]] + [
            f"{'slowest':<8}{seconds:.2f} s {test}" for test, seconds in waits[:_MOST_TESTS]
        ]

    def _files(self) -> list[str]:
        lines = [f"{'saved':<8}{_count(self._saved, 'cassette')}"] if self._saved else []
        kept = "not saved, its cassette is as it was: the test did not pass"
        lines += [f"{'kept':<8}{test} {kept}" for test in self._not_saved]
        return lines + ([_NO_KEY] if self._not_saved and not self._made_calls() and not has_key(os.environ) else [])

    def _made_calls(self) -> bool:
        return any(calls for calls in self._tests.values())

    def _blocked(self) -> list[str]:
        return [f"{'blocked':<8}{test or 'outside any test'} {what}" for test, what in dict.fromkeys(self.refused)]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _sum_line(source: str, totals: Totals) -> str:
    waited_s = totals.waited_s or 0.0
    spent = f"not spent, saved {waited_s:.1f} s of waiting" if source == "replay" else "spent"
    numbers = f"{tokens_text(totals)}, {_cost_text(totals)} {spent}"
    return f"{source:<8}{_count(totals.calls, 'call')}: {numbers} {unknown_text(totals)}".rstrip()


def tokens_text(totals: Totals) -> str:
    """Return ``1,204 tokens in, 96 out``, with ``?`` for a number that no call reported."""
    counts = [totals.partial(name) if totals.billed_calls else 0 for name in ("input_tokens", "output_tokens")]
    if counts == [None, None]:
        return "tokens unknown"
    read, written = ("?" if count is None else f"{count:,}" for count in counts)
    return f"{read} tokens in, {written} out"


def _cost_text(totals: Totals) -> str:
    from llm_gateway.cost.money import shown

    is_unknown = not totals.known_cost_usd and totals.unknown("cost_usd")
    return "cost unknown" if is_unknown else shown(totals.known_cost_usd)


def unknown_text(totals: Totals) -> str:
    """Return ``(1 without known usage, 2 without known cost)``, each counted by itself; empty where all is known."""
    parts = {"usage": totals.unknown("total_tokens"), "cost": totals.unknown("cost_usd")}
    known = [f"{count} without known {what}" for what, count in parts.items() if count]
    return f"({', '.join(known)})" if known else ""

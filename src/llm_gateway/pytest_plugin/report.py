"""The summary at the end of a run: what was called, what it cost, and what was refused."""

from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from llm_gateway.pytest_plugin.environment import has_key

if TYPE_CHECKING:
    from llm_gateway.pytest_plugin.tally import Sum

__all__ = ["Report"]

_SERVED = ("replay", "fake", "record", "live", "fault", "miss", "refused")
_NOT_MADE = {
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
        self._tests: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.refused: list[tuple[str | None, str]] = []
        """The test that made the call, None outside any, and what it called."""
        self._saved = 0
        self._not_saved: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in what one phase of a test called."""
        told = getattr(report, "llm_gateway", None)
        if told is None:
            return
        self._tests[report.nodeid] += told["calls"]
        self.refused += [(report.nodeid, what) for what in told["refused"]]
        self._saved += told["outcome"] == "saved"
        if told["outcome"] == "not saved":
            self._not_saved.append(report.nodeid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take in what a worker refused outside any test."""
        self.refused += [(None, what) for what in getattr(node, "workeroutput", {}).get("llm_gateway", ())]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send what was refused outside any test to the controller, or keep it here."""
        from llm_gateway.interception import guard

        outside = [one.what for one in guard.refusals if one.test_id is None]
        output = getattr(session.config, "workeroutput", None)
        if output is None:
            self.refused += [(None, what) for what in outside]
        else:
            output["llm_gateway"] = outside

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the summary, when there is anything to say."""
        if not any(self._tests.values()) and not self.refused and not self._not_saved:
            return
        terminalreporter.section(f"LLM calls ({self._mode_name})")
        for line in [*self._sums(), *self._extremes(), *self._files(), *self._blocked()]:
            terminalreporter.write_line(line)

    def _sum(self, served: str) -> Sum:
        from llm_gateway.pytest_plugin.tally import Sum

        total = Sum()
        for calls in self._tests.values():
            total.add(call for call in calls if call["served"] == served)
        return total

    def _sums(self) -> list[str]:
        lines = []
        for served in _SERVED:
            total = self._sum(served)
            if not total.calls:
                continue
            if served in _NOT_MADE:
                lines.append(f"{served:<8}{_count(total.calls, 'call')} {_NOT_MADE[served]}")
                continue
            saved = f", saved {total.duration_s:.1f} s of waiting" if served == "replay" else ""
            numbers = f"{total.tokens()}, {total.cost()}"
            what = "not spent" if served == "replay" else "spent"
            lines.append(
                f"{served:<8}{_count(total.calls, 'call')}: {numbers} {what}{saved} {total.unknown()}".rstrip()
            )
        return lines

    def _extremes(self) -> list[str]:
        from llm_gateway.pytest_plugin.tally import Sum, money

        sums: dict[str, Sum] = {}
        for test, calls in self._tests.items():
            sums[test] = Sum()
            sums[test].add(call for call in calls if call["served"] not in _NOT_MADE)
        costliest = sorted((row for row in sums.items() if row[1].cost_usd), key=lambda row: -row[1].cost_usd)
        slowest = sorted(
            (row for row in sums.items() if row[1].duration_s >= _NOTABLE_S),
            key=lambda row: -row[1].duration_s,
        )
        return [f"most expensive {money(one.cost_usd)} {test}" for test, one in costliest[:_MOST_TESTS]] + [
            f"{'slowest':<8}{one.duration_s:.2f} s {test}" for test, one in slowest[:_MOST_TESTS]
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

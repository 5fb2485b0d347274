"""Take in what the reports of all workers carry, and write the report files when the run is over."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from llm_gateway.pytest_plugin.reports.fact import Fact
from llm_gateway.pytest_plugin.reports.target import targets_of

if TYPE_CHECKING:
    from collections.abc import Iterator
import json

__all__ = ["Collector", "render"]


class Collector:
    """
    The part of the plugin that stands behind ``--llm-report``.

    Args:
        config: The run's configuration.

        files: What the command line named.

        mode_name: ``replay``, ``record``, ``new`` or ``live``.

        refused: Test (None outside any) and call of what was refused; it is filled while the run goes on.

    Raises:
        pytest.UsageError: A file cannot be written.
    """

    def __init__(
        self, config: pytest.Config, files: Sequence[str], mode_name: str, refused: Sequence[tuple[str | None, str]]
    ) -> None:
        self._targets = targets_of(files, config.invocation_params.dir)
        self._config = config
        self._mode_name = mode_name
        self._refused = refused
        self._facts: dict[str, Fact] = {}
        self._broken_modules = 0
        self._started_at = datetime.now(UTC)
        self._started_s = time.perf_counter()
        self._lines: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count what could not be collected, as pytest does."""
        self._broken_modules += report.failed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in one phase of a test."""
        self._facts.setdefault(report.nodeid, Fact(report.nodeid)).add(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the files, after all others have told what they know; one that cannot be written fails the run."""
        if self._config.option.collectonly:
            return
        document = self._document(int(exitstatus))
        self._lines = list(self._written(document))
        if len(self._lines) > len(self._targets) and not exitstatus:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name the files."""
        for line in self._lines:
            terminalreporter.write_line(line)

    def _document(self, exit_code: int) -> dict[str, Any]:
        from llm_gateway.pytest_plugin.reports.document import build

        run = {
            "project": self._config.rootpath.name,
            "mode": self._mode_name,
            "started_at": self._started_at.isoformat(timespec="seconds"),
            "duration_s": round(time.perf_counter() - self._started_s, 3),
            "exit_code": exit_code,
        }
        return build(run, list(self._facts.values()), self._refused, self._broken_modules)

    def _written(self, document: dict[str, Any]) -> Iterator[str]:
        from llm_gateway.pytest_plugin.reports.collect import render

        for target in self._targets:
            try:
                target.write(render(document, target.suffix))
            except OSError as error:
                yield f"LLM report not written: {target.given}: {error.strerror}"
                yield "  to write it: make room or change --llm-report, then run again"
            else:
                yield f"LLM report written to {target.given}"


def render(document: dict[str, Any], suffix: str) -> str:
    """*document* as ``.html``, ``.json`` or ``.md``."""
    if suffix == ".json":
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if suffix == ".md":
        from llm_gateway.pytest_plugin.reports import markdown

        return markdown.render(document)
    from llm_gateway.pytest_plugin.reports import page

    return page.render(document)

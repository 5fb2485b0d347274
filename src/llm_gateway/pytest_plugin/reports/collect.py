"""Collect the test reports of all workers, and write the files of ``--llm-report`` at the end of the run."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from llm_gateway.pytest_plugin.reports.document import CollectedTest, build
from llm_gateway.pytest_plugin.reports.target import targets_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Collector", "render"]


class Collector:
    """
    The pytest plugin behind ``--llm-report``.

    Args:
        config: The run's configuration.

        files: The files as the command line names them.

        mode_name: ``replay``, ``record``, ``new`` or ``live``.

        blocked: Test (None outside any) and call of each call that was blocked; the list grows during the run.

    Raises:
        pytest.UsageError: A file cannot be written.
    """

    def __init__(
        self, config: pytest.Config, files: Sequence[str], mode_name: str, blocked: Sequence[tuple[str | None, str]]
    ) -> None:
        self._targets = targets_of(files, config.invocation_params.dir)
        self._config = config
        self._mode_name = mode_name
        self._blocked = blocked
        self._tests: dict[str, CollectedTest] = {}
        self._broken_modules = 0
        self._started_at = datetime.now(UTC)
        self._started_s = time.perf_counter()
        self._lines: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count the modules that could not be collected."""
        self._broken_modules += report.failed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add one phase of a test."""
        self._tests.setdefault(report.nodeid, CollectedTest(report.nodeid)).add(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the files after other plugins have finished; a file that cannot be written fails the run."""
        if self._config.option.collectonly:
            return
        document = self._document(int(exitstatus))
        self._lines = list(self._write(document))
        if len(self._lines) > len(self._targets) and not exitstatus:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the names of the files."""
        for line in self._lines:
            terminalreporter.write_line(line)

    def _document(self, exit_code: int) -> dict[str, Any]:
        run = {
            "project": self._config.rootpath.name,
            "mode": self._mode_name,
            "started_at": self._started_at.isoformat(timespec="seconds"),
            "duration_s": round(time.perf_counter() - self._started_s, 3),
            "exit_code": exit_code,
        }
        return build(run, list(self._tests.values()), self._blocked, self._broken_modules)

    def _write(self, document: dict[str, Any]) -> Iterator[str]:
        for target in self._targets:
            try:
                target.write(render(document, target.suffix))
            except OSError as error:
                yield f"LLM report not written: {target.given}: {error.strerror}"
                yield "  to write it: make room or change --llm-report, then run again"
            else:
                yield f"LLM report written to {target.given}"


def render(document: dict[str, Any], suffix: str) -> str:
    """Return *document* in the format of *suffix*: ``.html``, ``.json`` or ``.md``."""
    if suffix == ".json":
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if suffix == ".md":
        from llm_gateway.pytest_plugin.reports import markdown

        return markdown.render(document)
    from llm_gateway.pytest_plugin.reports import page

    return page.render(document)

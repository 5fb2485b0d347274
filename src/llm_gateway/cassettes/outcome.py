"""The errors with which a test fails, whatever its code made of the replies that it got."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterable

from llm_gateway.exceptions import CassetteMissError, GatewayError

__all__ = ["Outcome"]

Check = Callable[[], GatewayError | None]


class Outcome:
    """
    The errors of one test so far, each of them once and without secrets. Its methods may be called from any thread.

    Args:
        redact: Takes secrets out of a text.

        checks: See `check_at_end`.
    """

    def __init__(self, redact: Callable[[str], str], checks: Iterable[Check] = ()) -> None:
        self._redact = redact
        self._failures: dict[str, GatewayError] = {}
        self._checks = list(checks)
        self._lock = threading.Lock()

    def fail(self, error: GatewayError) -> GatewayError:
        """Fail the test with *error* at its end; return a copy without secrets, which may be printed."""
        shown = copy.copy(error)
        shown.message = self._redact(error.message)
        shown.cause = error.cause and self._redact(error.cause)
        shown.__cause__ = error.__cause__
        with self._lock:
            return self._failures.setdefault(shown.report, shown)

    def fail_miss(self, text: str) -> None:
        """Fail the test at its end with *text*, the report of a `CassetteMissError`."""
        self.fail(CassetteMissError(text.removeprefix("CassetteMissError: ")))

    def failures(self) -> list[GatewayError]:
        """Return one error for each different call that found no recording, or that was not allowed."""
        return list(self._failures.values())

    def check_at_end(self, check: Check) -> None:
        """Call *check* when the test is over: it returns an error for what was prepared and not used, or None."""
        self._checks.append(check)

    def left_over(self) -> list[GatewayError]:
        """Return the errors of `check_at_end`: for faults, recorded exchanges and scripted answers without a call."""
        errors: list[GatewayError] = []
        for check in self._checks:
            error = check()
            if error is not None:
                errors.append(error)
        return errors

"""The clock that recordings are timed by: the real one, also inside a test that has frozen its own."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime

__all__ = ["is_travelling", "monotonic", "now"]

_REAL = (time.time, time.monotonic)
"""Not names of the module, where freezegun would find and replace them."""


def now() -> datetime:
    """Return the time, in UTC."""
    read = sys.modules["time_machine"].escape_hatch.time.time if is_travelling() else _REAL[0]
    return datetime.fromtimestamp(read(), UTC)


def monotonic() -> float:
    """Return seconds since an arbitrary start, for durations."""
    return _REAL[1]()


def is_travelling() -> bool:
    """Return whether time-machine has moved every clock that there is."""
    machine = sys.modules.get("time_machine")
    return machine is not None and machine.escape_hatch.is_travelling()

"""One line of the table that is printed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What was asked for, and what was measured."""

    what: str
    target: str
    measured: str
    is_met: bool

    def __str__(self) -> str:
        return f"| {self.what} | {self.target} | {self.measured} | {'yes' if self.is_met else 'NO'} |"

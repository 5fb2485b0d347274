"""One row of the printed table."""

from __future__ import annotations

from dataclasses import dataclass

_WORDS = {True: "yes", False: "NO", None: "-"}


@dataclass(frozen=True)
class Row:
    """Row of the table: a target and the measured value; *is_met* is None where nothing could be measured."""

    what: str
    target: str
    measured: str
    is_met: bool | None

    def __str__(self) -> str:
        return f"| {self.what} | {self.target} | {self.measured} | {_WORDS[self.is_met]} |"

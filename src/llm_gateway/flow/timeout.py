"""How long a step may take, and which setting says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Timeout", "TimeoutKind", "earliest"]

TimeoutKind = Literal["connect", "attempt", "first_token", "idle", "total"]


@dataclass(frozen=True, slots=True)
class Timeout:
    """
    A time that may pass.

    Attributes:
        span: What is limited.

        setting: The setting that holds it, as in ``timeout_s``; the one for an attempt may stand in for others.

        seconds: How much it is.

        until: When it is over, by the clock of `Now`; None counts from the step's own beginning.
    """

    kind: TimeoutKind
    setting: str
    seconds: float
    deadline: float | None = None

    @property
    def fix(self) -> str:
        """What to type where it ran out too early."""
        return f"raise {self.setting} (LLM_{self.setting.upper()})"


def earliest(timeouts: Sequence[Timeout], now: float) -> tuple[Timeout, float]:
    """Which of *timeouts* is over first, for a step that begins *now*, and when that is."""
    first, end = timeouts[0], float("inf")
    for one in timeouts:
        over = now + one.seconds if one.deadline is None else one.deadline
        if over < end:
            first, end = one, over
    return first, end

"""Timeouts of steps, each with the setting that it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Timeout", "TimeoutKind", "earliest"]

TimeoutKind = Literal["connect", "attempt", "first_token", "idle", "total"]


@dataclass(frozen=True, slots=True)
class Timeout:
    """
    A timeout of a step.

    Attributes:
        kind: The wait that the timeout ends.

        setting: Name of its setting, as in ``timeout_s``, which is also the default of other settings.

        seconds: Length in seconds.

        deadline: Time of its end, by the clock of `Now`; None counts from the beginning of the step.
    """

    kind: TimeoutKind
    setting: str
    seconds: float
    deadline: float | None = None

    @property
    def fix(self) -> str:
        """Return what to type where the timeout is too short."""
        return f"raise {self.setting} (LLM_{self.setting.upper()})"


def earliest(timeouts: Sequence[Timeout], now: float) -> tuple[Timeout, float]:
    """Return the timeout that ends first for a step that begins *now*, and the time of its end."""
    first, end = timeouts[0], float("inf")
    for one in timeouts:
        over = now + one.seconds if one.deadline is None else one.deadline
        if over < end:
            first, end = one, over
    return first, end

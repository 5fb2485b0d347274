"""How long a step may take, and which setting says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Limit", "Span", "soonest"]

Span = Literal["connect", "attempt", "first_token", "idle", "total"]


@dataclass(frozen=True, slots=True)
class Limit:
    """
    A time that may pass.

    Attributes:
        span: What is limited.

        setting: The setting that holds it, as in ``timeout_s``; the one for an attempt may stand in for others.

        seconds: How much it is.

        until: When it is over, by the clock of `Now`; None counts from the step's own beginning.
    """

    span: Span
    setting: str
    seconds: float
    until: float | None = None

    @property
    def fix(self) -> str:
        """What to type where it ran out too early."""
        return f"raise {self.setting} (LLM_{self.setting.upper()})"


def soonest(limits: Sequence[Limit], now: float) -> tuple[Limit, float]:
    """Which of *limits* is over first, for a step that begins *now*, and when that is."""
    first, end = limits[0], float("inf")
    for one in limits:
        over = now + one.seconds if one.until is None else one.until
        if over < end:
            first, end = one, over
    return first, end

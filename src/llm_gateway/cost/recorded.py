"""
The cost that was recorded with the reply that is answered here and now.

A replay hands it on to whoever made the call in the same context, so that what a call costs does not change with the
price list of the day.
"""

from __future__ import annotations

from contextvars import ContextVar
from decimal import Decimal

__all__ = ["note", "take"]

_noted: ContextVar[tuple[Decimal | None] | None] = ContextVar("llm_gateway_recorded_cost", default=None)


def note(cost_usd: Decimal | None) -> None:
    """A recorded reply was given out; None where its cost was not known then."""
    _noted.set((cost_usd,))


def take() -> tuple[Decimal | None] | None:
    """What was noted since the last call of this, once; None when the reply was no recorded one."""
    noted = _noted.get()
    if noted is not None:
        _noted.set(None)
    return noted

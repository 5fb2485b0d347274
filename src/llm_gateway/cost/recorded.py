"""
What a call costs, agreed on by its caller and its recording in the same context.

A replay hands the recorded cost on to the caller, so that it does not change with the price list of the day. The caller
says whose prices hold, which an address that nobody knows does not tell.
"""

from __future__ import annotations

from contextvars import ContextVar
from decimal import Decimal

__all__ = ["note", "said_provider", "say_provider", "take"]

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


_provider: ContextVar[str | None] = ContextVar("llm_gateway_called_provider", default=None)


def say_provider(name: str | None) -> None:
    """What is called from now on is the provider *name*, wherever it stands; None is nobody in particular."""
    _provider.set(name)


def said_provider() -> str | None:
    """What was said last."""
    return _provider.get()

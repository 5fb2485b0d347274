"""Money is reckoned exactly, whatever `decimal` context the code under test has set for its own numbers."""

from __future__ import annotations

import decimal
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["exact"]

_CONTEXT = decimal.Context(
    prec=50,
    rounding=decimal.ROUND_HALF_EVEN,
    Emin=-999_999,
    Emax=999_999,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)


@contextmanager
def exact() -> Generator[None]:
    """Reckon in 50 digits inside this block, or inside the function that this decorates."""
    with decimal.localcontext(_CONTEXT):
        yield

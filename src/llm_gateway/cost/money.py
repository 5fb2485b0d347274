"""Money is reckoned exactly, whatever `decimal` context the code under test has set for its own numbers."""

from __future__ import annotations

import decimal
from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal

__all__ = ["exact", "shown"]

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


def shown(amount: Decimal) -> str:
    """Return dollars with as many digits as small sums need: ``$1.25``, ``$0.0031``, ``$0.000042``, ``$0.0000005``."""
    if not amount:
        return "$0"
    digits = 2 if amount >= 1 else 4 if amount >= Decimal("0.001") else max(6, -amount.adjusted())
    return f"${amount:.{digits}f}"

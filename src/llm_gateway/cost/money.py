"""Money is added up exactly, whatever `decimal` context the code under test has set for its own numbers."""

from __future__ import annotations

import decimal
from contextlib import ContextDecorator
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


class exact(ContextDecorator):  # noqa: N801  used like a function, as contextlib's own are
    """Calculate in 50 digits inside a block, or inside the function that this decorates."""

    __slots__ = ("_manager",)

    def __enter__(self) -> None:
        self._manager = decimal.localcontext(_CONTEXT)
        self._manager.__enter__()

    def __exit__(self, *error: object) -> None:
        self._manager.__exit__(None, None, None)

    def _recreate_cm(self) -> exact:
        """Return a fresh one for each call of a decorated function, which may run in several threads at once."""
        return exact()


def shown(amount: Decimal) -> str:
    """Return dollars with as many digits as small sums need: ``$1.25``, ``$0.0031``, ``$0.000042``, ``$0.0000005``."""
    if not amount:
        return "$0"
    digits = 2 if amount >= 1 else 4 if amount >= Decimal("0.001") else max(6, -amount.adjusted())
    return f"${amount:.{digits}f}"

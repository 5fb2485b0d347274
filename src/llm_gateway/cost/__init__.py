"""What calls cost: prices by provider, model and date. Money is Decimal; an unknown price is None."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_gateway.cost.overrides import register_pricing
    from llm_gateway.cost.prices import Priced, known_models, price
    from llm_gateway.cost.totals import Totals
    from llm_gateway.cost.tracker import CostTracker
    from llm_gateway.record import CallRecord

__all__ = ["CallRecord", "CostTracker", "Priced", "Totals", "known_models", "price", "register_pricing"]
_WHERE = {
    "CallRecord": "llm_gateway.record",
    "CostTracker": "llm_gateway.cost.tracker",
    "Priced": "llm_gateway.cost.prices",
    "Totals": "llm_gateway.cost.totals",
    "known_models": "llm_gateway.cost.prices",
    "price": "llm_gateway.cost.prices",
    "register_pricing": "llm_gateway.cost.overrides",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return __all__

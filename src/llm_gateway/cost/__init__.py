"""What calls cost: prices by provider, model and date. Money is Decimal; an unknown price is None."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_gateway.cost.overrides import register_pricing
    from llm_gateway.cost.prices import Priced, known_models, price
    from llm_gateway.cost.tracker import CostTracker

__all__ = ["CostTracker", "Priced", "known_models", "price", "register_pricing"]
_WHERE = {
    "CostTracker": "tracker",
    "Priced": "prices",
    "known_models": "prices",
    "price": "prices",
    "register_pricing": "overrides",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return __all__

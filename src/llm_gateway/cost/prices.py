"""Prices from genai-prices, with the row that was applied, so that a recording costs the same for ever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from llm_gateway.types import TokenUsage

__all__ = ["Priced", "known_models", "price"]

_PROVIDERS = {
    "gemini": "google",
    "vertex": "google",
    "bedrock": "aws",
    "xai": "x-ai",
    "moonshot": "moonshotai",
    "voyage": "voyageai",
}
"""Our names of providers where genai-prices has another."""
_LOCAL = frozenset({"ollama"})


@dataclass(frozen=True, slots=True)
class Priced:
    """A cost in US dollars, and the price row behind it as plain data, in dollars per million tokens."""

    cost_usd: Decimal
    row: dict[str, Any]


def price(provider: str, model: str, usage: TokenUsage, *, at: datetime) -> Priced | None:
    """
    Price *usage* of a call.

    Args:
        provider: As in ``anthropic``; a local provider is free.

        model: As the provider served it.

        usage: Tokens as reported.

        at: When the request was sent; picks the price in force.

    Returns:
        The cost with its price row, or None when the model's price or its tokens are not known.
    """
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    if provider in _LOCAL:
        return Priced(Decimal(0), {"source": "local", "model": model})
    import genai_prices  # a second of import: only where something is really priced

    reported = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "cache_write_1h_tokens": usage.cache_write_1h_tokens,
    }
    try:
        known = genai_prices.Usage(**{name: count for name, count in reported.items() if count})
        found = genai_prices.calc_price(
            known, model, provider_id=_PROVIDERS.get(provider, provider), genai_request_timestamp=at
        )
    except (LookupError, ValueError):
        return None
    return Priced(found.total_price, _row(found, genai_prices.__version__))


def known_models(provider: str) -> list[str]:
    """The names of *provider*'s models that have a price; none for a provider that is not listed."""
    from genai_prices.data import providers

    wanted = _PROVIDERS.get(provider, provider)
    return [model.id for one in providers if one.id == wanted for model in one.models]


def _row(found: Any, version: str) -> dict[str, Any]:
    rates = {name: _rate(rate) for name, rate in vars(found.model_price).items() if rate is not None and name[0] != "_"}
    return {"source": f"genai-prices {version}", "model": f"{found.provider.id}:{found.model.id}", **rates}


def _rate(rate: Any) -> str | dict[str, Any]:
    """One rate; a rate with tiers applies a tier's price to all tokens once the input passes its start."""
    tiers = getattr(rate, "tiers", None)
    if tiers is None:
        return str(rate)
    return {"base": str(rate.base), "tiers": [[tier.start, str(tier.price)] for tier in tiers]}

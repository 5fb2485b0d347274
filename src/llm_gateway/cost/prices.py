"""Prices from genai-prices, with the row that was applied, so that a recording always costs the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from llm_gateway.catalog import find
from llm_gateway.cost import overrides
from llm_gateway.cost.money import exact
from llm_gateway.usage import COUNTS, TokenUsage

__all__ = ["Priced", "known_models", "most_expensive_usd", "price"]

_USUAL = frozenset({"default", "standard", "on_demand", "auto"})
"""Tiers that cost what the list states; any other needs a row of its own."""
_PARTS = tuple(name for name in COUNTS if name != "reasoning_tokens")
"""The counts that have a price of their own; reasoning costs what output does."""
_SIMPLE = {"input_tokens": "input_mtok", "output_tokens": "output_mtok"}


@dataclass(frozen=True, slots=True)
class Priced:
    """A cost in US dollars, and the price row behind it as plain data, in dollars per million tokens."""

    cost_usd: Decimal
    row: dict[str, Any]


@exact()
def price(provider: str, model: str, usage: TokenUsage, *, at: datetime) -> Priced | None:
    """
    Price *usage* of a call: by the user's own prices (see `register_pricing`), else by genai-prices.

    Args:
        provider: As in ``anthropic``; a local provider is free.

        model: As the provider served it.

        usage: Tokens as reported, and the tier they were served in.

        at: When the request was sent; picks the price in force.

    Returns:
        The cost with its price row, or None when its tokens, the model's price or that of the tier are not known.
    """
    if usage.input_tokens is None:
        return None
    own = overrides.find(provider, model)
    if own is not None:
        return _by(own.rates, usage, own.row)
    if find(provider).is_local:
        return Priced(Decimal(0), {"source": "local", "model": model})
    return _listed(provider, model, usage, at)


def _listed(provider: str, model: str, usage: TokenUsage, at: datetime) -> Priced | None:
    import genai_prices  # a second of import: only where something is really priced
    from genai_prices.data_snapshot import get_snapshot

    try:
        listed, entry = get_snapshot().find_provider_model(model, None, find(provider).price_list_id or provider, None)
    except LookupError:
        return None
    # A row that belongs to another provider (Azure sells OpenAI's models) does not apply to this one's tiers.
    context = _context(usage.service_tier) if any(entry is one for one in listed.models) else {}
    rates = entry.get_prices(at, context)
    if not _is_usual(usage.service_tier) and rates == entry.get_prices(at):
        return None
    row = {"source": f"genai-prices {genai_prices.__version__}", "model": f"{listed.id}:{entry.id}"}
    return _by(rates, usage, row | ({"tier": usage.service_tier} if not _is_usual(usage.service_tier) else {}))


def _is_usual(tier: str | None) -> bool:
    return tier is None or tier.lower() in _USUAL


def _context(tier: str | None) -> dict[str, str]:
    """Return the context by which genai-prices distinguishes variants of a row."""
    if tier is None:
        return {}
    return {"service_tier": tier.lower(), "speed": tier.lower(), "processing": tier.lower()}


def _by(rates: Any, usage: TokenUsage, row: dict[str, Any]) -> Priced | None:
    """Return the cost by *rates*, or None where an output is priced and unknown, or used and not priced."""
    has_output_price = getattr(rates, "output_mtok", None) is not None
    if (usage.output_tokens is None) if has_output_price else bool(usage.output_tokens):
        return None
    counts = {name: count for name in _PARTS if (count := getattr(usage, name))}
    cost = _simple_cost(rates, counts)
    if cost is None:
        from genai_prices import Usage

        try:
            cost = rates.calc_price(Usage(**counts))["total_price"]
        except (LookupError, ValueError):
            return None
    return Priced(cost, row | _plain(rates))


def _simple_cost(rates: Any, counts: dict[str, int]) -> Decimal | None:
    """Return the cost of plain input and output, without tiers: genai-prices takes ten times as long."""
    listed = vars(rates)
    parts = [(listed.get(_SIMPLE.get(name, "")), count) for name, count in counts.items()]
    if listed.get("requests_kcount") is not None or not all(isinstance(rate, Decimal) for rate, _ in parts):
        return None
    return sum((rate * count / 1_000_000 for rate, count in parts), Decimal(0))


def most_expensive_usd(provider: str, models: Iterable[str], usage: TokenUsage, *, at: datetime) -> Decimal | None:
    """Return the most that *usage* can cost, in US dollars, of any of *models* and output; None where it is unknown."""
    sound = dataclasses.replace(usage, output_audio_tokens=usage.output_tokens)
    pictures = dataclasses.replace(usage, output_image_tokens=usage.output_tokens)
    found = [price(provider, model, kind, at=at) for model in models for kind in (usage, sound, pictures)]
    costs = [one.cost_usd for one in found if one is not None]
    return max(costs) if costs and len(costs) == len(found) else None


def known_models(provider: str) -> list[str]:
    """Return the names of *provider*'s models that have a price; none for a provider that is not listed."""
    from genai_prices.data import providers

    wanted = find(provider).price_list_id or provider
    return [model.id for one in providers if one.id == wanted for model in one.models]


def _plain(rates: Any) -> dict[str, Any]:
    return {name: _rate(rate) for name, rate in vars(rates).items() if rate is not None and name[0] != "_"}


def _rate(rate: Any) -> str | dict[str, Any]:
    """Return one rate as plain data; a tier's price applies to all tokens once the input passes its start."""
    tiers = getattr(rate, "tiers", None)
    if tiers is None:
        return str(rate)
    return {"base": str(rate.base), "tiers": [[tier.start, str(tier.price)] for tier in tiers]}

"""What calls cost: properties that hold for any usage, and the cases that other tools get wrong."""

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_gateway.cost import overrides, prices
from llm_gateway.cost.prices import dearest_usd, price
from llm_gateway.types import TokenUsage

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
COUNT = st.integers(0, 100_000)
MODELS = st.sampled_from([("anthropic", "claude-haiku-4-5"), ("openai", "gpt-5-mini"), ("gemini", "gemini-2.5-flash")])


@st.composite
def usages(draw):
    """Usage whose parts fit into their whole."""
    read, written, fresh = draw(COUNT), draw(COUNT), draw(COUNT)
    output = draw(COUNT)
    return TokenUsage(
        input_tokens=read + written + fresh,
        output_tokens=output,
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=draw(st.integers(0, written)),
        reasoning_tokens=draw(st.integers(0, output)),
    )


def cost(target, usage):
    return price(*target, usage, at=NOON).cost_usd


@given(target=MODELS, usage=usages())
def test_the_cost_is_the_sum_of_its_parts(target, usage):
    """Fresh, read and written input, and output; no token counts twice."""
    read, written = usage.cache_read_tokens, usage.cache_write_tokens
    fresh = usage.input_tokens - read - written
    parts = [
        TokenUsage(fresh, 0),
        TokenUsage(read, 0, cache_read_tokens=read),
        TokenUsage(written, 0, cache_write_tokens=written, cache_write_1h_tokens=usage.cache_write_1h_tokens),
        TokenUsage(0, usage.output_tokens),
    ]
    assert sum(cost(target, part) for part in parts) == cost(target, usage)


@given(target=MODELS, usage=usages())
def test_what_is_read_from_a_cache_never_costs_more_than_fresh_input(target, usage):
    """Reasoning is output and costs nothing of its own."""
    fresh = dataclasses.replace(usage, cache_read_tokens=None)
    without = dataclasses.replace(usage, reasoning_tokens=None)

    assert cost(target, usage) <= cost(target, fresh)
    assert cost(target, without) == cost(target, usage)


@given(target=MODELS, usage=usages(), more=usages())
def test_two_calls_cost_what_their_sum_does(target, usage, more):
    """For models without steps in their price."""
    assert cost(target, usage) + cost(target, more) == cost(target, usage + more)


def test_input_and_output_alone_cost_what_the_list_makes_of_them():
    """They are reckoned here, for every model that has no tiers."""
    from genai_prices import Usage
    from genai_prices.data import providers

    counts, reckoned = {"input_tokens": 1_234_567, "output_tokens": 891}, 0
    for rates in (model.get_prices(NOON) for one in providers for model in one.models):
        cost_usd = prices._simple_cost(rates, counts)
        reckoned += cost_usd is not None

        assert cost_usd in (None, rates.calc_price(Usage(**counts))["total_price"])

    assert reckoned > 1_000


def test_a_price_of_its_day():
    """o3 cost five times as much in May 2025."""
    usage = TokenUsage(1_000_000, 0)
    then = price("openai", "o3", usage, at=datetime(2025, 5, 1, tzinfo=UTC))

    assert Decimal(10) == then.cost_usd
    assert Decimal(2) == cost(("openai", "o3"), usage)


def test_a_long_input_costs_its_step():
    """All of it, once it passes 200,000 tokens."""
    assert Decimal("0.6") == cost(("anthropic", "claude-sonnet-4-5"), TokenUsage(200_000, 0))
    assert Decimal("1.200006") == cost(("anthropic", "claude-sonnet-4-5"), TokenUsage(200_001, 0))


@pytest.mark.parametrize(
    ("tier", "expected"), [("default", "0.25"), (None, "0.25"), ("flex", "0.125"), ("priority", "0.45")]
)
def test_the_tier_sets_the_price(tier, expected):
    """And stands in the row."""
    found = price("openai", "gpt-5-mini", TokenUsage(1_000_000, 0, service_tier=tier), at=NOON)

    assert Decimal(expected) == found.cost_usd
    assert (tier if tier in ("flex", "priority") else None) == found.row.get("tier")


def test_batches_and_fast_answers_of_anthropic():
    """It names both in its usage."""
    usage = TokenUsage(1_000_000, 0)
    batch = dataclasses.replace(usage, service_tier="batch")

    assert cost(("anthropic", "claude-haiku-4-5"), batch) * 2 == cost(("anthropic", "claude-haiku-4-5"), usage)


@pytest.mark.parametrize(
    ("provider", "model", "usage"),
    [
        ("openai", "gpt-5-mini", TokenUsage(10, 5, service_tier="priority-2030")),
        ("azure", "gpt-5-mini", TokenUsage(10, 5, service_tier="priority")),
        ("openai", "no-such-model", TokenUsage(10, 5)),
        ("no-such-provider", "gpt-5-mini", TokenUsage(10, 5)),
        ("openai", "gpt-5-mini", TokenUsage(10)),
        ("openai", "gpt-5-mini", TokenUsage(output_tokens=5)),
        ("openai", "gpt-5-mini", TokenUsage(10, 5, cache_read_tokens=11)),
    ],
)
def test_what_is_not_known_has_no_price(provider, model, usage):
    """A tier, a model, a provider, a count, or parts that do not fit: never 0."""
    assert price(provider, model, usage, at=NOON) is None


def test_embeddings_cost_their_input():
    """They report no output, and have no price for any."""
    assert Decimal("0.02") == cost(("openai", "text-embedding-3-small"), TokenUsage(1_000_000))


def test_searches_and_audio_are_part_of_the_cost():
    """Ten dollars a thousand searches; audio is dearer than text."""
    target = ("anthropic", "claude-sonnet-4-5")
    assert Decimal("0.02") == cost(target, TokenUsage(0, 0, web_searches=2))
    text, audio = TokenUsage(1_000_000, 0), TokenUsage(1_000_000, 0, input_audio_tokens=1_000_000)
    assert cost(("gemini", "gemini-2.5-flash"), text) < cost(("gemini", "gemini-2.5-flash"), audio)


def test_a_local_model_is_free_and_says_so():
    """Explicitly, not for want of a price."""
    found = price("ollama", "llama3:8b", TokenUsage(10, 5), at=NOON)

    assert (Decimal(0), {"source": "local", "model": "llama3:8b"}) == (found.cost_usd, found.row)


def test_the_dearest_output_counts_before_a_call():
    """A model that paints may paint all of it."""
    usage = TokenUsage(0, 1_000_000)
    most = dearest_usd("gemini", ["gemini-2.5-flash-image"], usage, at=NOON)

    assert most > 10 * price("gemini", "gemini-2.5-flash", usage, at=NOON).cost_usd
    assert dearest_usd("openai", ["gpt-5-nano", "no-such-model"], usage, at=NOON) is None


def test_a_price_without_output_makes_no_output_free():
    """Its cost is not known."""
    overrides.register_pricing("acme:one", input=1)
    try:
        assert price("acme", "one", TokenUsage(10, 5), at=NOON) is None
        assert Decimal("0.00001") == price("acme", "one", TokenUsage(10, 0), at=NOON).cost_usd
    finally:
        overrides.clear()

"""Prices of calls: properties that hold for any usage, and cases that are easily priced wrong."""

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_gateway.cost import overrides, prices
from llm_gateway.cost.prices import most_expensive_usd, price
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
    """Fresh, cached and cache-writing input, and output: no token is counted twice."""
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
def test_cached_input_never_costs_more_than_fresh_input(target, usage):
    """Reasoning tokens are output, and add no cost."""
    fresh = dataclasses.replace(usage, cache_read_tokens=None)
    without = dataclasses.replace(usage, reasoning_tokens=None)

    assert cost(target, usage) <= cost(target, fresh)
    assert cost(target, without) == cost(target, usage)


@given(target=MODELS, usage=usages(), more=usages())
def test_two_calls_cost_as_much_as_one_with_their_summed_usage(target, usage, more):
    """For models whose rates do not depend on the length of the input."""
    assert cost(target, usage) + cost(target, more) == cost(target, usage + more)


def test_costs_of_input_and_output_equal_those_of_the_price_list():
    """For every model without tiered prices."""
    from genai_prices import Usage
    from genai_prices.data import providers

    counts, reckoned = {"input_tokens": 1_234_567, "output_tokens": 891}, 0
    for rates in (model.get_prices(NOON) for one in providers for model in one.models):
        cost_usd = prices._simple_cost(rates, counts)
        reckoned += cost_usd is not None

        assert cost_usd in (None, rates.calc_price(Usage(**counts))["total_price"])

    assert reckoned > 1_000


def test_the_price_in_force_on_the_day_of_the_call_is_used():
    """o3 cost five times as much in May 2025."""
    usage = TokenUsage(1_000_000, 0)
    then = price("openai", "o3", usage, at=datetime(2025, 5, 1, tzinfo=UTC))

    assert Decimal(10) == then.cost_usd
    assert Decimal(2) == cost(("openai", "o3"), usage)


def test_a_long_input_costs_the_higher_rate():
    """For all of its tokens, once there are more than 200,000."""
    assert Decimal("0.6") == cost(("anthropic", "claude-sonnet-4-5"), TokenUsage(200_000, 0))
    assert Decimal("1.200006") == cost(("anthropic", "claude-sonnet-4-5"), TokenUsage(200_001, 0))


@pytest.mark.parametrize(
    ("tier", "expected"), [("default", "0.25"), (None, "0.25"), ("flex", "0.125"), ("priority", "0.45")]
)
def test_the_service_tier_sets_the_price(tier, expected):
    """It is recorded in the price row."""
    found = price("openai", "gpt-5-mini", TokenUsage(1_000_000, 0, service_tier=tier), at=NOON)

    assert Decimal(expected) == found.cost_usd
    assert (tier if tier in ("flex", "priority") else None) == found.row.get("tier")


def test_anthropic_batches_cost_half():
    """The usage that Anthropic reports names the tier."""
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
def test_unknown_tiers_models_providers_and_counts_have_no_price(provider, model, usage):
    """Nor have counts that contradict each other; the price is None, never 0."""
    assert price(provider, model, usage, at=NOON) is None


def test_embeddings_cost_their_input():
    """They report no output tokens, and their models have no output price."""
    assert Decimal("0.02") == cost(("openai", "text-embedding-3-small"), TokenUsage(1_000_000))


def test_searches_and_audio_are_part_of_the_cost():
    """Searches cost $10 per thousand, and audio costs more than text."""
    target = ("anthropic", "claude-sonnet-4-5")
    assert Decimal("0.02") == cost(target, TokenUsage(0, 0, web_searches=2))
    text, audio = TokenUsage(1_000_000, 0), TokenUsage(1_000_000, 0, input_audio_tokens=1_000_000)
    assert cost(("gemini", "gemini-2.5-flash"), text) < cost(("gemini", "gemini-2.5-flash"), audio)


def test_a_local_model_costs_zero_and_its_price_row_names_the_source():
    """The zero is a price, not an unknown cost."""
    found = price("ollama", "llama3:8b", TokenUsage(10, 5), at=NOON)

    assert (Decimal(0), {"source": "local", "model": "llama3:8b"}) == (found.cost_usd, found.row)


def test_before_a_call_the_most_expensive_kind_of_output_is_assumed():
    """A model that can output images may output nothing else."""
    usage = TokenUsage(0, 1_000_000)
    most = most_expensive_usd("gemini", ["gemini-2.5-flash-image"], usage, at=NOON)

    assert most > 10 * price("gemini", "gemini-2.5-flash", usage, at=NOON).cost_usd
    assert most_expensive_usd("openai", ["gpt-5-nano", "no-such-model"], usage, at=NOON) is None


def test_output_without_an_output_price_has_an_unknown_cost():
    """It is not free."""
    overrides.register_pricing("acme:one", input=1)
    try:
        assert price("acme", "one", TokenUsage(10, 5), at=NOON) is None
        assert Decimal("0.00001") == price("acme", "one", TokenUsage(10, 0), at=NOON).cost_usd
    finally:
        overrides.clear()

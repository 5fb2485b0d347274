"""Prices that users register."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from llm_gateway.cost import overrides
from llm_gateway.cost.overrides import read, register_pricing
from llm_gateway.cost.prices import price
from llm_gateway.exceptions import ConfigError
from llm_gateway.types import TokenUsage

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
USAGE = TokenUsage(1_000_000, 100_000, cache_read_tokens=500_000)


@pytest.fixture(autouse=True)
def forgotten():
    """No price outlives its test."""
    yield
    overrides.clear()


def test_a_registered_price_takes_precedence_over_the_price_list():
    """The price row names its source."""
    register_pricing("openai:gpt-5-mini", input=2, output="10", cache_read=Decimal("0.5"))
    found = price("openai", "gpt-5-mini", USAGE, at=NOON)

    assert Decimal("2.25") == found.cost_usd
    assert {
        "source": "register_pricing",
        "model": "openai:gpt-5-mini",
        "input_mtok": "2",
        "output_mtok": "10",
        "cache_read_mtok": "0.5",
    } == found.row


def test_tokens_without_a_rate_of_their_own_cost_the_general_rate():
    """Cached input without a rate costs as much as fresh input."""
    register_pricing("acme:one", input=2, output=0)

    assert Decimal(2) == price("acme", "one", USAGE, at=NOON).cost_usd


def test_the_longest_matching_pattern_wins():
    """A name without a wildcard wins over all patterns."""
    read({"acme:*": {"input": 1}, "acme:big-*": {"input": 5}, "acme:big-1": {"input": 7}}, "prices.yaml")

    costs = [price("acme", model, TokenUsage(1_000_000), at=NOON) for model in ("small", "big-2", "big-1", "big")]
    assert [1, 5, 7, 1] == [found.cost_usd for found in costs]


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (
            {"acme:one": {"inptu": 1, "input": 2}},
            (
                "prices.yaml: 'acme:one' has an unknown rate 'inptu'\n  did you mean 'input'?\n  rates are input, output, "
                "cache_read, cache_write, cache_write_1h, input_audio, output_audio, output_image, web_searches"
            ),
        ),
        (
            {"acme:one": {"input": "2 dollars"}},
            "prices.yaml: 'acme:one' has input='2 dollars'\n  a rate is US dollars for a million tokens, 0 or more",
        ),
        (
            {"acme:one": {"input": float("nan")}},
            "prices.yaml: 'acme:one' has input=nan\n  a rate is US dollars for a million tokens, 0 or more",
        ),
        (
            {"acme:one": {"output": 1}},
            (
                "prices.yaml: 'acme:one' has no rate for input\n  a price needs input, in US dollars for a million tokens\n"
                '  "acme:one": {input: 0.5, output: 2}'
            ),
        ),
        (
            {"one": {"input": 1}},
            "prices.yaml: 'one' names no model\n  write provider:model, as in openai:gpt-5-mini",
        ),
        (
            [],
            (
                "prices.yaml holds no prices\n  it has to map provider:model to rates\n"
                '  for example: "openai:my-model": {input: 0.5, output: 2}'
            ),
        ),
    ],
)
def test_a_misspelt_entry_is_an_error_and_registers_no_price(document, text):
    """The message lists what is allowed."""
    with pytest.raises(ConfigError) as caught:
        read(document, "prices.yaml")

    assert text == str(caught.value)
    assert overrides.find("acme", "one") is None

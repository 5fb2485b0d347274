"""Numbers in replies that no call can have are not known, rather than believed."""

import json
from decimal import Decimal

import pytest

from llm_gateway.types import TokenUsage
from llm_gateway.wire.claude_cli import stated_cost, stated_usage
from llm_gateway.wire.reading import read_exchange


def read(**usage):
    url = "https://openrouter.ai/api/v1/chat/completions"
    reply = json.dumps({"model": "m", "usage": usage}).encode()
    return read_exchange("POST", url, b"{}", 200, [("content-type", "application/json")], reply)


@pytest.mark.parametrize(
    ("told", "known"), [(1e13, None), (10**12, 10**12), (-1, None), (float("inf"), None), ("9" * 30, None)]
)
def test_a_count(told, known):
    """Up to a million millions."""
    assert TokenUsage(known, 3) == read(prompt_tokens=told, completion_tokens=3).usage


@pytest.mark.parametrize(
    ("told", "known"),
    [(1e300, None), (10**6, Decimal(10**6)), (-0.1, None), (float("nan"), None), (True, None), (0.25, Decimal("0.25"))],
)
def test_a_stated_cost(told, known):
    """Up to a million dollars; of a host, and of the CLI."""
    assert known == read(cost=told).stated_cost_usd
    assert known == stated_cost({"total_cost_usd": told})


def test_a_model_of_a_claude_run_without_a_count_leaves_the_sum_unknown():
    """A missing count is None, never 0."""
    counted = {"inputTokens": 5, "outputTokens": 1, "cacheReadInputTokens": 2}

    assert TokenUsage(7, 1, 2) == stated_usage({"modelUsage": {"a": counted}})
    assert TokenUsage(None, 2) == stated_usage({"modelUsage": {"a": counted, "b": {"outputTokens": 1}}})

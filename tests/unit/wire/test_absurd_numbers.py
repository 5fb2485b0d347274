"""Numbers that no call can have are read as None."""

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
    ("stated", "expected"), [(1e13, None), (10**12, 10**12), (-1, None), (float("inf"), None), ("9" * 30, None)]
)
def test_a_count_above_a_million_million_is_none(stated, expected):
    """Nor is a negative one or infinity a count."""
    assert TokenUsage(expected, 3) == read(prompt_tokens=stated, completion_tokens=3).usage


@pytest.mark.parametrize(
    ("stated", "expected"),
    [(1e300, None), (10**6, Decimal(10**6)), (-0.1, None), (float("nan"), None), (True, None), (0.25, Decimal("0.25"))],
)
def test_a_stated_cost_above_a_million_dollars_is_none(stated, expected):
    """In replies of hosts and in results of the CLI."""
    assert expected == read(cost=stated).cost_usd
    assert expected == stated_cost({"total_cost_usd": stated})


def test_a_model_of_a_claude_run_without_a_count_leaves_the_sum_unknown():
    """A missing count is None, never 0."""
    counted = {"inputTokens": 5, "outputTokens": 1, "cacheReadInputTokens": 2}

    assert TokenUsage(7, 1, 2) == stated_usage({"modelUsage": {"a": counted}})
    assert TokenUsage(None, 2) == stated_usage({"modelUsage": {"a": counted, "b": {"outputTokens": 1}}})

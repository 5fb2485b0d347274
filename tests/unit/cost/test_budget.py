"""Limits of a test: which are valid, and which calls exceed them."""

from decimal import Decimal

import pytest

from llm_gateway.cost.budget import Limits, overruns, table
from llm_gateway.exceptions import ConfigError
from llm_gateway.record import CallRecord
from llm_gateway.usage import TokenUsage

USAGE = TokenUsage(1_000, 200, cache_read_tokens=300)
ALLOW = "llm_budget(allow_unknown=True) counts it as nothing"


def call(usage=USAGE, cost="0.50", model="m-1", **more):
    cost_usd = None if cost is None else Decimal(cost)
    return CallRecord(api="openai.chat", model_served=model, usage=usage, cost_usd=cost_usd, **more)


REFUSED = call(None, None, status=429, error="rate_limited", is_billed=False)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"max_tokens": 1}, Limits(max_tokens=1)),
        ({"max_input_tokens": 1, "max_output_tokens": 2}, Limits(max_input_tokens=1, max_output_tokens=2)),
        ({"max_calls": 1, "allow_unknown": True}, Limits(max_calls=1, allow_unknown=True)),
        ({"max_calls": 1, "allow_unknown": False}, Limits(max_calls=1)),
        ({"max_calls": 1, "max_tokens": None}, Limits(max_calls=1)),
        ({"max_cost_usd": 0.05}, Limits(max_cost_usd=Decimal("0.05"))),
        ({"max_cost_usd": "0.000001"}, Limits(max_cost_usd=Decimal("0.000001"))),
        ({"max_cost_usd": 1}, Limits(max_cost_usd=Decimal(1))),
        ({"min_cache_hit": 1}, Limits(min_cache_hit=1)),
        ({"min_cache_hit": 0.01}, Limits(min_cache_hit=0.01)),
    ],
)
def test_limits_are_read_as_written(given, expected):
    """None is no limit, and amounts of money keep their digits."""
    assert expected == Limits.read(given)


COUNT, SHARE = "a whole number above 0", "a share above 0, up to 1"
DOLLARS, FLAG = "US dollars above 0, such as 0.05", "True or False"


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        *((name, value, COUNT) for name in ("max_tokens", "max_calls") for value in (0, -1, True, 1.5, "5")),
        *(("min_cache_hit", value, SHARE) for value in (0, -0.1, 1.01, True, "0.5", float("nan"))),
        *(("max_cost_usd", value, DOLLARS) for value in (0, "-1", True, "free", float("nan"), float("inf"), [1])),
        *(("allow_unknown", value, FLAG) for value in (0, 1, "yes")),
    ],
)
def test_invalid_limits_are_rejected(name, value, allowed):
    """The message has the marker, the value and what is allowed."""
    with pytest.raises(ConfigError) as caught:
        Limits.read({name: value})

    assert f"llm_budget({name}={value!r}) cannot be a limit\n  it has to be {allowed}" == str(caught.value)


def test_an_unknown_limit_is_an_error_with_the_nearest_name():
    """The message lists all names."""
    names = "max_tokens, max_input_tokens, max_output_tokens, max_cost_usd, max_calls, min_cache_hit, allow_unknown"
    with pytest.raises(ConfigError) as near:
        Limits.read({"max_token": 5})
    with pytest.raises(ConfigError) as far:
        Limits.read({"xyz": 5})

    assert f"llm_budget knows no 'max_token'\n  did you mean 'max_tokens'?\n  it takes {names}" == str(near.value)
    assert f"llm_budget knows no 'xyz'\n  it takes {names}" == str(far.value)


@pytest.mark.parametrize("given", [{}, {"allow_unknown": True}, {"max_tokens": None}])
def test_a_budget_without_a_limit_is_an_error(given):
    """It would never fail."""
    with pytest.raises(ConfigError) as caught:
        Limits.read(given)

    assert "llm_budget sets no limit\n  for example: @pytest.mark.llm_budget(max_tokens=2000)" == str(caught.value)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(), []),
        (Limits(max_calls=3), []),
        (Limits(max_calls=2), ["3 calls, 1 over max_calls=2"]),
        (Limits(max_tokens=2_400), []),
        (Limits(max_tokens=2_399), ["2,400 tokens, 1 over max_tokens=2399"]),
        (Limits(max_tokens=1_000), ["2,400 tokens, 1,400 over max_tokens=1000"]),
        (Limits(max_input_tokens=2_000), []),
        (Limits(max_input_tokens=1_999), ["2,000 input tokens, 1 over max_input_tokens=1999"]),
        (Limits(max_output_tokens=400), []),
        (Limits(max_output_tokens=399), ["400 output tokens, 1 over max_output_tokens=399"]),
        (Limits(max_cost_usd=Decimal(1)), []),
        (Limits(max_cost_usd=Decimal("0.99")), ["$1.00 spent, $0.01 over max_cost_usd=0.99"]),
        (Limits(min_cache_hit=0.3), []),
        (Limits(min_cache_hit=0.31), ["30% of the input was read from the cache, below min_cache_hit=0.31"]),
        (
            Limits(max_tokens=1, max_calls=1, max_cost_usd=Decimal("0.5")),
            [
                "3 calls, 2 over max_calls=1",
                "2,400 tokens, 2,399 over max_tokens=1",
                "$1.00 spent, $0.50 over max_cost_usd=0.5",
            ],
        ),
    ],
)
def test_each_exceeded_limit_has_a_line(limits, expected):
    """A total equal to its limit passes; a rejected attempt counts as a call without usage."""
    assert expected == overruns(limits, [call(), REFUSED, call()])


@pytest.mark.parametrize(
    "one", [call(source="miss"), call(source="refused"), CallRecord(usage=USAGE, cost_usd=Decimal(9))]
)
def test_unsent_calls_and_requests_to_no_model_do_not_count(one):
    """They are in no total."""
    limits = Limits(max_calls=1, max_tokens=1_200, max_cost_usd=Decimal("0.50"))

    assert [] == overruns(limits, [call(), one])


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        (Limits(max_tokens=9_999), "tokens"),
        (Limits(max_input_tokens=9_999), "input tokens"),
        (Limits(max_output_tokens=9_999), "output tokens"),
        (Limits(max_cost_usd=Decimal(9)), "cost"),
        (Limits(min_cache_hit=0.1), "cached input"),
    ],
)
def test_an_unknown_number_fails_every_limit_on_it(limits, what):
    """The first such call is named; only `allow_unknown` counts it as nothing."""
    calls = [call(), call(None, None, "m-2"), call(None, None, "m-3")]
    allowed = Limits(**{name: getattr(limits, name) for name in Limits.__slots__} | {"allow_unknown": True})

    assert [f"{what} of m-2 not known; {ALLOW}"] == overruns(limits, calls)
    assert [] == overruns(allowed, calls)


def test_a_limit_on_calls_needs_no_usage_or_cost():
    """It counts attempts alone."""
    assert [] == overruns(Limits(max_calls=1), [call(None, None)])


def test_the_cached_share_of_no_input_is_zero():
    """A call that was rejected read nothing from the cache."""
    expected = ["0% of the input was read from the cache, below min_cache_hit=0.5"]

    assert expected == overruns(Limits(min_cache_hit=0.5), [REFUSED])


def test_the_table_has_a_row_for_each_call():
    """Unknown numbers are question marks, and a rejected call used nothing."""
    calls = [call(), call(source="miss"), call(None, None, "model-2"), REFUSED]

    assert (
        "call          input  output  cached   cost\n"
        "#1 m-1        1,000     200     300  $0.50\n"
        "#2 model-2        ?       ?       ?      ?\n"
        "#3 m-1 (429)      0       0       0     $0"
    ) == table(calls)

"""One rule for totals: known numbers are added up, and unknown ones are counted."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_gateway.cost import CallRecord, Totals
from llm_gateway.cost.totals import NUMBERS
from llm_gateway.usage import COUNTS, TokenUsage

counts = st.none() | st.integers(0, 10**12)
usages = st.builds(TokenUsage, service_tier=st.sampled_from([None, "flex"]), **dict.fromkeys(COUNTS, counts))
costs = st.none() | st.decimals(0, 1000, places=12)
records = st.builds(
    CallRecord,
    api=st.sampled_from([None, "openai.chat"]),
    usage=st.none() | usages,
    cost_usd=costs,
    source=st.sampled_from(["replay", "record", "live", "fake", "fault", "miss", "refused"]),
    error=st.sampled_from([None, "rate_limited"]),
    is_billed=st.booleans(),
    duration_s=st.none() | st.floats(0, 100),
)
several = st.lists(records, max_size=6)


USAGE = TokenUsage(10, 5)


def call(cost="1.00", usage=USAGE, **more):
    return CallRecord(api="openai.chat", usage=usage, cost_usd=None if cost is None else Decimal(cost), **more)


@given(several, several, several)
def test_totals_do_not_depend_on_the_order_of_addition(one, two, three):
    """They can be added in any grouping, and subtracted again."""
    first, second, third = map(Totals.of, (one, two, three))

    assert Totals.of([*one, *two, *three]) == (first + second) + third == first + (second + third)
    assert second.sums == ((first + second) - first).sums
    assert second.known == ((first + second) - first).known


@given(several)
def test_each_billed_model_call_adds_to_the_sum_or_to_the_unknown(calls):
    """Calls that were not sent and requests that call no model add to neither."""
    totals = Totals.of(calls)
    model_calls = [one for one in calls if one.is_model_call]

    assert len(model_calls) == totals.model_calls
    for name in NUMBERS:
        reported = [
            getattr(one, name) if name == "cost_usd" else getattr(one.usage, name, None)
            for one in model_calls
            if one.is_billed
        ]
        assert reported.count(None) == totals.unknown(name)
        assert sum(number for number in reported if number is not None) == totals.sum_known(name)
        assert (totals.total(name) is None) == (None in reported)


@given(several)
def test_a_call_that_is_not_billed_leaves_nothing_unknown(calls):
    """Its totals are the same with its numbers missing or zero."""
    refused = [one for one in calls if not one.is_billed]
    totals = Totals.of(refused)

    assert [0] * len(NUMBERS) == [totals.unknown(name) for name in NUMBERS]
    assert Decimal(0) == totals.cost_usd
    assert totals.sums == Totals.of(one.charged() for one in refused).sums


def test_a_rejected_attempt_before_a_reply_leaves_nothing_unknown():
    """A 429 is known to cost nothing."""
    totals = Totals.of([call(None, None, status=429, error="rate_limited", is_billed=False), call()])

    assert (2, 1, 1) == (totals.model_calls, totals.billed_calls, totals.failed_calls)
    assert (Decimal("1.00"), TokenUsage(10, 5), 0) == (totals.cost_usd, totals.usage, totals.unknown("cost_usd"))


@pytest.mark.parametrize("unreported", [None, TokenUsage(7)], ids=["nothing", "input alone"])
def test_a_total_with_an_unknown_part_is_none_and_has_a_known_part(unreported):
    """Usage and cost follow the same rule."""
    totals = Totals.of([call(), call(None, unreported)])

    assert (None, Decimal("1.00"), 1) == (totals.cost_usd, totals.known_cost_usd, totals.unknown("cost_usd"))
    assert (None if unreported is None else 17) == totals.total("input_tokens")
    assert (10 if unreported is None else 17, 5) == (totals.partial("input_tokens"), totals.partial("output_tokens"))
    assert (None if unreported is None else TokenUsage(17)) == totals.usage


def test_totals_of_no_calls_are_zero_without_usage():
    """Zero cost and tokens, and no usage object."""
    totals = Totals()

    assert (Decimal(0), 0, None) == (totals.cost_usd, totals.total("input_tokens"), totals.usage)
    assert 0 == totals.waited_s


def test_the_service_tier_is_kept_if_all_calls_share_it():
    """A call with another tier, or without one, makes it None."""
    flex = call(usage=TokenUsage(1, 1, service_tier="flex"))

    assert "flex" == Totals.of([flex, flex]).usage.service_tier
    assert Totals.of([flex, call()]).usage.service_tier is None


def test_totals_can_be_built_from_sums_that_a_database_computed():
    """A total of tokens is known only where input and output both are."""
    sums = {"input_tokens": 30, "output_tokens": 9, "cost_usd": Decimal("0.50")}
    known = {"input_tokens": 3, "output_tokens": 2, "cost_usd": 1}
    totals = Totals.of_groups(calls=3, failed_calls=1, sums=sums, known=known)

    assert (3, 3, 3, 1) == (totals.calls, totals.model_calls, totals.billed_calls, totals.failed_calls)
    assert (30, None, None) == (totals.total("input_tokens"), totals.total("total_tokens"), totals.cost_usd)
    assert (39, 1) == (totals.sum_known("total_tokens"), totals.unknown("total_tokens"))
    assert (0, 3) == (totals.sum_known("reasoning_tokens"), totals.unknown("reasoning_tokens"))
    assert Decimal("0.50") == totals.known_cost_usd


def test_waited_time_is_the_sum_of_known_durations():
    """In microseconds, so that order does not matter; requests that call no model count too."""
    timed = [call(duration_s=0.25), CallRecord(duration_s=0.5), call(duration_s=1e-6, is_billed=False), call()]
    totals = Totals.of(timed)

    assert (0.750001, 3, 4) == (totals.waited_s, totals.timed_calls, totals.calls)
    assert Totals.of([call()]).waited_s is None


def test_failed_calls_are_those_with_an_error():
    """Whether billed or not; calls that were not sent are not counted."""
    failed = [call(error="read_timeout"), call(error="rate_limited", is_billed=False), call(error="x", source="miss")]
    totals = Totals.of([call(), *failed, CallRecord(error="not_found")])

    assert (4, 3, 2, 2) == (totals.calls, totals.model_calls, totals.billed_calls, totals.failed_calls)


def test_known_usage_is_the_sum_of_what_was_reported():
    """A count that no call reported is None, never 0."""
    totals = Totals.of([call(), call(None, None), call(usage=TokenUsage(7, cache_read_tokens=2))])

    assert TokenUsage(17, 5, 2) == totals.known_usage
    assert TokenUsage() == Totals.of([call(None, None)]).known_usage == Totals().known_usage
    assert Totals.of([call(None, None)]).usage is None
    assert Totals.of([call(None, None)]).partial("input_tokens") is None
    assert 0 == Totals().partial("input_tokens")


def test_subtracting_totals_of_the_same_tier_keeps_the_tier():
    """Both sides had it."""
    flex = Totals.of([call(usage=TokenUsage(1, 1, service_tier="flex"))])

    assert "flex" == (flex + flex - flex).usage.service_tier


def test_an_unbilled_attempt_states_no_number():
    """Where no billed call reported a number it is unknown, and not the nothing of a refused attempt."""
    unknown = CallRecord(api="openai.chat")
    refused = CallRecord(api="openai.chat", is_billed=False, status=429, error="rate_limited")
    totals = Totals.of([unknown, refused])

    assert (None, None) == (totals.partial("input_tokens"), totals.partial("cost_usd"))
    assert 0 == Totals.of([refused]).partial("input_tokens")

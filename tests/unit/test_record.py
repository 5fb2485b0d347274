"""The record of one call: plain data and back, and what follows from its fields."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_gateway.record import ACCOUNTED, EXTENSION, CallRecord, RecordHolder, holder_of
from llm_gateway.usage import COUNTS, TokenUsage

texts = st.none() | st.text(max_size=20)
counts = st.none() | st.integers(0, 10**12)
usages = st.builds(TokenUsage, service_tier=texts, **dict.fromkeys(COUNTS, counts)).filter(
    lambda one: one != TokenUsage()
)
records = st.builds(
    CallRecord,
    **dict.fromkeys(("provider", "api", "model_requested", "model_served", "session_id", "test_id", "id"), texts),
    usage=st.none() | usages,
    cost_usd=st.none() | st.decimals(0, 10**6, places=15),
    price=st.none() | st.dictionaries(st.text(max_size=9), st.text(max_size=9) | st.integers(0, 99), max_size=3),
    source=st.sampled_from(["replay", "record", "live", "fake", "fault", "miss", "refused"]),
    status=st.none() | st.integers(100, 599),
    end=st.sampled_from(["complete", "partial", "error"]),
    error=texts,
    started_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    duration_s=st.none() | st.floats(0, 10**6),
    is_billed=st.booleans(),
    attempt=st.integers(1, 99),
    tags=st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3),
)


@given(records)
def test_a_record_comes_back_from_json_as_it_was(record):
    """Every field, to the last digit."""
    assert record == CallRecord.from_dict(json.loads(json.dumps(record.to_dict())))


@given(records)
def test_some_fields_alone_have_the_same_names_and_values(record):
    """A cassette keeps some of them, and reads them beside members of its own."""
    part = record.to_dict(ACCOUNTED)
    back = CallRecord.from_dict({**part, "chunks": [], "failure": {}})

    assert part == {name: value for name, value in record.to_dict().items() if name in ACCOUNTED}
    assert [getattr(record, name) for name in ACCOUNTED] == [getattr(back, name) for name in ACCOUNTED]


@pytest.mark.parametrize(
    ("member", "value", "cause"),
    [
        ("source", "magic", "one of replay, record, live, fake, fault, miss, refused was"),
        ("status", "200", "a whole number was"),
        ("status", True, "a whole number was"),
        ("duration_s", "soon", "seconds from 0 were"),
        ("duration_s", -1, "seconds from 0 were"),
        ("started_at", "noon", "a time in ISO 8601 was"),
        ("is_billed", 1, "true or false was"),
        ("tags", {"a": 1}, "a mapping of texts was"),
        ("tags", ["a"], "a mapping of texts was"),
    ],
)
def test_a_value_that_no_record_can_have_is_named(member, value, cause):
    """With what was expected."""
    with pytest.raises(ValueError, match=rf"^`llm\.{member}` is .*; {cause} expected$"):
        CallRecord.from_dict({member: value})


def test_a_call_is_known_by_its_model_and_one_that_cost_nothing_by_its_failure():
    """The model that answered counts first."""
    assert "b" == CallRecord(model_requested="a", model_served="b").label
    assert "a (429)" == CallRecord(model_requested="a", status=429, is_billed=False).label
    assert "openai.chat (connect)" == CallRecord(api="openai.chat", error="connect", is_billed=False).label
    assert "call" == CallRecord().label


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "ok"),
        ("rate_limited", "rate_limited"),
        ("read_timeout", "timeout"),
        ("connect", "connection"),
        ("exit code 1", "process"),
    ],
)
def test_the_outcome_is_a_kind_of_error_or_ok(error, outcome):
    """Errors of transports and exit codes of commands are among the kinds."""
    assert outcome == CallRecord(error=error).outcome


def test_a_billed_call_keeps_its_numbers_and_another_has_zeros():
    """An unknown number of a billed call stays unknown."""
    billed, refused = CallRecord(), CallRecord(is_billed=False, error="auth")

    assert billed is billed.charged()
    assert (0, 0, Decimal(0)) == (
        refused.charged().usage.input_tokens,
        refused.charged().usage.web_searches,
        refused.charged().cost_usd,
    )


def test_an_attempt_has_the_names_that_it_always_had():
    """`response.attempts` has said so from the beginning."""
    one = CallRecord(attempt=2, model_requested="m", duration_s=0.5, started_at=datetime(2026, 1, 1, tzinfo=UTC))

    assert (2, "m", 0.5) == (one.number, one.model, one.latency_s)


def test_a_holder_travels_on_replies_and_on_errors():
    """What is under that name otherwise is none, as the provider's name on a request."""
    holder, error = RecordHolder(), OSError("gone")
    setattr(error, EXTENSION, holder)

    assert holder is holder_of(error)
    assert holder_of(OSError()) is None
    assert holder_of(type("Request", (), {"extensions": {EXTENSION: "groq"}})()) is None

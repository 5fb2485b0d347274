"""The record of one call: its plain data, and what is derived from its fields."""

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
def test_a_record_survives_json(record):
    """Every field, with all its digits."""
    assert record == CallRecord.from_dict(json.loads(json.dumps(record.to_dict())))


@given(records)
def test_a_part_of_the_fields_can_be_written_and_read(record):
    """A cassette has some of them, among fields of its own."""
    part = record.to_dict(ACCOUNTED)
    back = CallRecord.from_dict({**part, "chunks": [], "failure": {}})

    assert part == {name: value for name, value in record.to_dict().items() if name in ACCOUNTED}
    assert [getattr(record, name) for name in ACCOUNTED] == [getattr(back, name) for name in ACCOUNTED]


@pytest.mark.parametrize(
    ("field", "value", "cause"),
    [
        ("source", "magic", "one of replay, record, live, fake, fault, miss, refused was"),
        ("status", "200", "a whole number was"),
        ("status", True, "a whole number was"),
        ("duration_s", "soon", "seconds from 0 to 100,000,000 were"),
        ("duration_s", -1, "seconds from 0 to 100,000,000 were"),
        ("duration_s", 1e308, "seconds from 0 to 100,000,000 were"),
        ("duration_s", float("inf"), "seconds from 0 to 100,000,000 were"),
        ("started_at", "noon", "a time in ISO 8601 was"),
        ("is_billed", 1, "true or false was"),
        ("tags", {"a": 1}, "a mapping of texts was"),
        ("tags", ["a"], "a mapping of texts was"),
    ],
)
def test_an_invalid_value_is_an_error_that_names_its_field(field, value, cause):
    """With what was expected."""
    with pytest.raises(ValueError, match=rf"^`llm\.{field}` is .*; {cause} expected$"):
        CallRecord.from_dict({field: value})


def test_the_label_is_the_model_and_for_unbilled_calls_the_failure():
    """The model that replied comes before the requested one."""
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
    """Transport errors and exit codes of commands have kinds too."""
    assert outcome == CallRecord(error=error).outcome


def test_a_billed_call_keeps_its_numbers_and_an_unbilled_one_has_zeros():
    """An unknown number of a billed call stays unknown."""
    billed, refused = CallRecord(), CallRecord(is_billed=False, error="auth")

    assert billed is billed.charged()
    assert (0, 0, Decimal(0)) == (
        refused.charged().usage.input_tokens,
        refused.charged().usage.web_searches,
        refused.charged().cost_usd,
    )


def test_the_documented_names_of_an_attempt_remain_available():
    """Entries of `response.attempts` were published with them."""
    one = CallRecord(attempt=2, model_requested="m", duration_s=0.5, started_at=datetime(2026, 1, 1, tzinfo=UTC))

    assert (2, "m", 0.5) == (one.number, one.model, one.latency_s)


def test_a_record_holder_is_read_from_replies_and_errors():
    """Another value under its name is ignored, such as a provider's name on a request."""
    holder, error = RecordHolder(), OSError("gone")
    setattr(error, EXTENSION, holder)

    assert holder is holder_of(error)
    assert holder_of(OSError()) is None
    assert holder_of(type("Request", (), {"extensions": {EXTENSION: "groq"}})()) is None

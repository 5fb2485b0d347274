"""When the exchanges of a cassette were recorded."""

from datetime import datetime, timedelta, timezone

import pytest

from llm_gateway.cassettes.format import local, recorded_times, timestamp

TOKYO = timezone(timedelta(hours=9))
AT = datetime(2025, 3, 1, 8, 30, tzinfo=TOKYO)


def own_entry(begin, **more):
    return {"llm": {"recorded_at": begin.isoformat(), **more}}


def test_times_are_sorted_and_end_with_the_end_of_the_last_exchange():
    """Each keeps the time zone of the recording."""
    entries = [own_entry(AT + timedelta(seconds=9), duration_s=1.5), own_entry(AT, duration_s=4)]

    assert [AT, AT + timedelta(seconds=9), AT + timedelta(seconds=10.5)] == recorded_times(entries)
    assert {timedelta(hours=9)} == {time.utcoffset() for time in recorded_times(entries)}


@pytest.mark.parametrize("value", ["Fri, 28 Feb 2025 23:30:00 GMT", ["Fri, 28 Feb 2025 23:30:00 GMT"]])
def test_exchanges_of_other_tools_have_the_date_header_of_their_reply(value):
    """In UTC, since the recording's time zone is unknown."""
    assert [AT, AT] == recorded_times([{"response": {"headers": {"date": value}}}])
    assert timedelta(0) == recorded_times([{"response": {"headers": {"Date": value}}}])[0].utcoffset()


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"llm": None, "response": {}},
        {"response": {"headers": {"date": []}}},
        {"response": {"headers": {"date": "soon"}}},
        {"llm": {"recorded_at": "soon"}},
    ],
)
def test_an_exchange_without_a_time_is_left_out(entry):
    """A file with only such exchanges has no times at all."""
    assert [] == recorded_times([entry])
    assert [AT, AT] == recorded_times([entry, own_entry(AT)])


def test_times_are_written_in_local_time():
    """The instant is the same; a time without a zone, which YAML may yield, is read as UTC."""
    assert AT == timestamp(local(AT))
    assert AT.astimezone().utcoffset() == timestamp(local(AT)).utcoffset()
    assert AT == timestamp(datetime(2025, 2, 28, 23, 30))  # noqa: DTZ001
    assert local(None) is None
    assert timestamp(None) is None

"""When the exchanges of a cassette were recorded."""

from datetime import datetime, timedelta, timezone

import pytest

from llm_gateway.cassettes.format import local, recorded_times, timestamp

TOKYO = timezone(timedelta(hours=9))
AT = datetime(2025, 3, 1, 8, 30, tzinfo=TOKYO)


def ours(begin, **more):
    return {"llm": {"recorded_at": begin.isoformat(), **more}}


def test_in_order_with_the_end_of_the_last():
    """Each in the recorder's own time; runs of commands are exchanges as well."""
    entries = [ours(AT + timedelta(seconds=9), duration_s=1.5), ours(AT, duration_s=4)]

    assert [AT, AT + timedelta(seconds=9), AT + timedelta(seconds=10.5)] == recorded_times(entries)
    assert {timedelta(hours=9)} == {moment.utcoffset() for moment in recorded_times(entries)}


@pytest.mark.parametrize("value", ["Fri, 28 Feb 2025 23:30:00 GMT", ["Fri, 28 Feb 2025 23:30:00 GMT"]])
def test_what_other_tools_recorded_has_the_date_of_the_reply(value):
    """In UTC, since nothing says where it was."""
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
def test_what_says_no_time_has_none(entry):
    """It is left out, and a file of such alone has no time at all."""
    assert [] == recorded_times([entry])
    assert [AT, AT] == recorded_times([entry, ours(AT)])


def test_written_in_local_time():
    """The instant is the same; a time without a zone, which YAML may give, counts as UTC."""
    assert AT == timestamp(local(AT))
    assert AT.astimezone().utcoffset() == timestamp(local(AT)).utcoffset()
    assert AT == timestamp(datetime(2025, 2, 28, 23, 30))  # noqa: DTZ001
    assert local(None) is None
    assert timestamp(None) is None

"""The recorded exchanges of one file, each replayed once."""

from pathlib import Path

import pytest

from llm_gateway.cassettes.document import dump
from llm_gateway.cassettes.format import http_to_mapping
from llm_gateway.cassettes.playback import Playback
from llm_gateway.cassettes.process_format import process_to_mapping
from llm_gateway.exceptions import CassetteReadError
from llm_gateway.exchange import Frame, HttpExchange, ProcessExchange
from llm_gateway.types import WireReply, WireRequest

PATH = Path("cassettes/some.yaml")
COMMAND = "pytest --llm-record"


def request(number, host="api.openai.com"):
    return WireRequest("POST", f"https://{host}/v1/chat/completions", (), b'{"n": %d}' % number)


def exchange(number, reply=b"{}"):
    return HttpExchange(request(number), WireReply(200, (), reply))


RUN = ProcessExchange(("claude", "-p", "hi"), (Frame("stdout", b"hello\n", 0.1),), exit_code=0)


def playback(*exchanges, processes=(), **more):
    content = {
        "version": 1,
        "interactions": [http_to_mapping(one) for one in exchanges],
        "processes": [process_to_mapping(one) for one in processes],
    }
    return Playback(PATH, read=lambda _: dump(content).encode(), **more)


def test_equal_requests_are_replayed_in_recorded_order_once_each():
    """A request that was not recorded gets nothing."""
    found = playback(exchange(1, b"first"), exchange(2), exchange(1, b"second"))

    assert [b"first", b"second"] == [found.take(request(1)).reply.body for _ in range(2)]
    assert found.take(request(1)) is None
    assert found.take(request(3)) is None


def test_a_returned_exchange_is_replayed_again_and_stays_used():
    """It comes before others of the same request."""
    found = playback(exchange(1, b"first"), exchange(1, b"second"))
    first = found.take(request(1))
    found.put_back(first.request)

    assert [b"first", b"second"] == [found.take(request(1)).reply.body for _ in range(2)]
    assert found.unused(COMMAND) is None


def test_live_and_recorded_requests_are_both_normalized():
    """Otherwise they would never match."""
    found = playback(exchange(1), normalize=lambda one: WireRequest(one.method, one.url))

    assert found.take(request(7)) is not None


def test_it_knows_which_urls_were_recorded():
    """With any method, query or body."""
    found = playback(exchange(1))

    assert found.knows("https://api.openai.com/v1/chat/completions?x=1")
    assert not found.knows("https://api.openai.com/v1/models")


def test_unused_exchanges_are_an_error_that_lists_them():
    """Requests by number and URL, runs of commands by their command line."""
    found = playback(exchange(1), exchange(2), processes=[RUN])
    found.take(request(2))

    error = found.unused(COMMAND)
    assert f"2 of 3 recorded exchanges were not used in {PATH}" == error.message
    assert "never requested: #1 POST api.openai.com/v1/chat/completions, command 'claude -p hi'" == error.cause
    assert f"to record it again: {COMMAND}\nto accept it: @pytest.mark.llm(allow_unused=True)" == error.fix


def test_more_than_five_unused_exchanges_are_summarised():
    """The error lists five, and counts the others."""
    error = playback(*map(exchange, range(8))).unused(COMMAND)

    assert error.cause.endswith("#5 POST api.openai.com/v1/chat/completions, and 3 more")


def test_runs_of_commands_are_replayed_separately():
    """Those that are not used yet stay in recorded order."""
    found = playback(processes=[RUN, RUN])
    first, second = found.processes_left()
    found.take_process(first)

    assert [second] == found.processes_left()
    assert found.unused(COMMAND) is not None
    found.take_process(second)
    assert found.unused(COMMAND) is None


def test_a_missing_file_holds_no_exchanges():
    """A miss reports that there is no cassette yet."""
    found = Playback(PATH, read=lambda _: None)

    assert (False, [], None) == (found.exists, found.recorded(), found.unused(COMMAND))
    assert (f"there is no cassette {PATH} yet", f"to record it: {COMMAND}") == (
        found.missed(request(1), COMMAND).cause,
        found.missed(request(1), COMMAND).fix,
    )


def test_a_miss_names_the_nearest_recording():
    """And the number of recordings."""
    error = playback(exchange(1), exchange(2)).missed(request(3), COMMAND)

    assert "no recording matches POST api.openai.com/v1/chat/completions" == error.message
    assert f"in {PATH} (2 recorded, 0 already used)\nnearest: #1, differs in n: 3 != 1" == error.cause


def test_a_section_that_is_not_a_list_is_an_error():
    """The message names the section."""
    raw = b"version: 1\ninteractions: []\nprocesses: {a: 1}\n"

    with pytest.raises(CassetteReadError, match="`processes` is no list"):
        Playback(PATH, read=lambda _: raw)

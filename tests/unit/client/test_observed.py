"""What observers are told of a call, in which order, and that they cannot break it."""

import asyncio
import itertools
import logging

import pytest

from llm_gateway import GatewayConfig, LLMClient, SyncLLMClient
from llm_gateway.client.observed import Observation, asynchronously, synchronously
from llm_gateway.exceptions import ConfigError, CostLimitExceededError
from llm_gateway.observability.events import AttemptEnded, AttemptStarted, CallEnded, CallStarted, FirstContent
from llm_gateway.observability.observers import Observers
from llm_gateway.types import LLMResponse, TokenUsage

COLOURS = pytest.mark.parametrize("colour", [SyncLLMClient, LLMClient])


class Mine:
    """A provider of someone else's, which fails as it is told."""

    name = "mine"
    default_model = "m-1"

    def __init__(self, error=None):
        self.error = error

    async def complete(self, messages, response_model=None):
        if self.error is not None:
            raise self.error
        return LLMResponse("yes", "mine", "m-1-served", usage=TokenUsage(3, 4))

    async def close(self):
        pass


class Heard(list):
    """An observer that keeps what it hears."""

    def observe(self, event):
        self.append(event)


class Broken:
    """An observer that fails whatever it is told."""

    def observe(self, event):
        raise LookupError("observe")

    def enter(self, call_id):
        raise LookupError("enter")

    def leave(self, token):
        raise LookupError("leave")


class Leaving(Broken):
    """An observer that fails late."""

    def observe(self, event):
        pass

    def enter(self, call_id):
        return call_id


def ask(client, is_stream=False):
    """Chat with *client*, or read a whole stream of it."""

    async def read():
        return [one async for one in client.stream("hi")]

    if isinstance(client, LLMClient):
        return asyncio.run(read() if is_stream else client.chat("hi"))
    return list(client.stream("hi")) if is_stream else client.chat("hi")


@COLOURS
def test_a_call_is_told_from_its_beginning_to_its_end(colour):
    """All events of a call have its number."""
    heard = Heard()
    client = colour(provider_instance=Mine(), observers=[heard], session_id="s-1")
    ask(client)
    ask(client, is_stream=True)
    first, second = heard[:4], heard[4:]

    assert [CallStarted, AttemptStarted, AttemptEnded, CallEnded] == [type(one) for one in first]
    assert [CallStarted, AttemptStarted, FirstContent, AttemptEnded, CallEnded] == [type(one) for one in second]
    for events in (first, second):
        started, end = events[0], events[-1]
        assert {started.call_id} == {one.call_id for one in events[:-1]}
        assert started is end.started
        assert ("s-1", "mine", "m-1") == (started.session_id, started.provider, started.model)
        assert ("complete", "m-1-served", None, 7) == (end.end, end.model, end.error, end.usage.total_tokens)
    assert first[0].call_id != second[0].call_id
    assert "hi" not in repr(heard).split()


@COLOURS
def test_an_error_that_no_provider_raises(colour):
    """Goes through as it is; what the attempt cost is not known."""
    heard = Heard()
    client = colour(provider_instance=Mine(ZeroDivisionError("no")), observers=[heard])
    with pytest.raises(ZeroDivisionError):
        ask(client)
    attempt, call = heard[2:]

    assert ("failed", "ZeroDivisionError") == (attempt.end, attempt.error)
    assert ("failed", "ZeroDivisionError", None) == (call.end, call.error, call.cost_usd)
    assert isinstance(call.exception, ZeroDivisionError)


@COLOURS
def test_a_call_that_a_limit_refuses_has_no_attempt(colour):
    """It was not sent."""
    heard = Heard()
    client = colour(GatewayConfig(provider="openai", api_key="k", cost_limit_usd=0), observers=[heard])
    with pytest.raises(CostLimitExceededError):
        ask(client)

    assert [CallStarted, CallEnded] == [type(one) for one in heard]
    assert ("failed", "CostLimitExceededError", 0) == (heard[1].end, heard[1].error, heard[1].cost_usd)


@COLOURS
@pytest.mark.parametrize("observer", [Broken, Leaving])
def test_an_observer_that_fails_breaks_nothing(colour, observer, caplog):
    """It is logged once, and the others hear everything."""
    heard = Heard()
    client = colour(provider_instance=Mine(), observers=[observer(), heard])
    with caplog.at_level(logging.ERROR, "llm_gateway.observability"):
        ask(client)
        ask(client)

    assert 8 == len(heard)
    assert [
        f"an observer failed: {observer.__name__}\n  the call goes on; more errors of this observer are not logged"
    ] == caplog.messages
    assert caplog.records[0].exc_info


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (print, "<built-in function print> is no observer\n  it has no method observe(event)"),
        (Heard, f"{Heard!r} is no observer\n  it is a class"),
    ],
)
def test_what_is_no_observer_is_refused(given, expected):
    """When the client is made, not in the middle of a call."""
    with pytest.raises(ConfigError) as caught:
        SyncLLMClient(provider_instance=Mine(), observers=[given])

    assert f"{expected}\n  for example: LLMClient(observers=[Logging()])" == str(caught.value)


def test_times_are_of_the_clock_that_is_handed_in():
    """From the beginning of the call."""
    heard, ticks = Heard(), itertools.count()
    client = SyncLLMClient(provider_instance=Mine())
    call, request = client._start_call(), client._build_request("hi")
    call.observed = Observation(Observers([heard]), lambda: float(next(ticks)))
    started = call.observed.begin("stream", call, request)
    call.enter(request)
    call.content()
    call.content()
    call.observed.end(started, call, None, None)

    assert [2.0] == [one.after_s for one in heard if isinstance(one, FirstContent)]
    assert (3.0, 2.0) == (heard[-1].duration_s, heard[-1].first_content_s)


@pytest.mark.parametrize("wrap", [synchronously, asynchronously])
def test_without_observers_nothing_is_made(wrap):
    """The flow and what does its steps are the very same."""
    client = SyncLLMClient(provider_instance=Mine())
    call, flow, executor = client._start_call(), object(), object()

    assert call.observed is None
    assert (flow, executor) == wrap("chat", call, client._build_request("hi"), flow, executor)

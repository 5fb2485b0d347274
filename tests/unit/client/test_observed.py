"""Events of a call, their order, and that observers cannot fail it."""

import asyncio
import itertools
import logging

import pytest

from llm_gateway import GatewayConfig, LLMClient, SyncLLMClient
from llm_gateway.client.observation import Observation
from llm_gateway.client.observed import observed_async, observed_sync
from llm_gateway.exceptions import ConfigError, CostLimitExceededError
from llm_gateway.observability.events import AttemptEnded, AttemptStarted, CallEnded, CallStarted, FirstContent
from llm_gateway.observability.observers import Observers
from llm_gateway.types import LLMResponse, TokenUsage

CLIENTS = pytest.mark.parametrize("client_class", [SyncLLMClient, LLMClient])


class Mine:
    """A custom provider that raises the given error."""

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


class Recording(list):
    """An observer that keeps the events."""

    def observe(self, event):
        self.append(event)


class Broken:
    """An observer that fails for every event."""

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


@CLIENTS
def test_a_call_is_observed_from_its_beginning_to_its_end(client_class):
    """All events of a call have its number."""
    events = Recording()
    client = client_class(provider_instance=Mine(), observers=[events], session_id="s-1")
    ask(client)
    ask(client, is_stream=True)
    first, second = events[:4], events[4:]

    assert [CallStarted, AttemptStarted, AttemptEnded, CallEnded] == [type(one) for one in first]
    assert [CallStarted, AttemptStarted, FirstContent, AttemptEnded, CallEnded] == [type(one) for one in second]
    for events in (first, second):
        started, end = events[0], events[-1]
        assert {started.call_id} == {one.call_id for one in events[:-1]}
        assert started is end.started
        assert ("s-1", "mine", "m-1") == (started.session_id, started.provider, started.model)
        assert ("complete", "m-1-served", None, 7) == (end.end, end.model, end.error, end.usage.total_tokens)
    assert first[0].call_id != second[0].call_id
    assert "hi" not in repr(events).split()


@CLIENTS
def test_an_error_that_no_provider_raises(client_class):
    """Goes through as it is; what the attempt cost is not known."""
    events = Recording()
    client = client_class(provider_instance=Mine(ZeroDivisionError("no")), observers=[events])
    with pytest.raises(ZeroDivisionError):
        ask(client)
    attempt, call = events[2:]

    assert ("failed", "ZeroDivisionError") == (attempt.end, attempt.error)
    assert ("failed", "ZeroDivisionError", None) == (call.end, call.error, call.cost_usd)
    assert isinstance(call.exception, ZeroDivisionError)


@CLIENTS
def test_a_call_that_a_limit_refuses_has_no_attempt(client_class):
    """It was not sent."""
    events = Recording()
    client = client_class(GatewayConfig(provider="openai", api_key="k", cost_limit_usd=0), observers=[events])
    with pytest.raises(CostLimitExceededError):
        ask(client)

    assert [CallStarted, CallEnded] == [type(one) for one in events]
    assert ("failed", "CostLimitExceededError", 0) == (events[1].end, events[1].error, events[1].cost_usd)


@CLIENTS
@pytest.mark.parametrize("observer", [Broken, Leaving])
def test_an_observer_that_fails_breaks_nothing(client_class, observer, caplog):
    """It is logged once, and the others hear everything."""
    events = Recording()
    client = client_class(provider_instance=Mine(), observers=[observer(), events])
    with caplog.at_level(logging.ERROR, "llm_gateway.observability"):
        ask(client)
        ask(client)

    assert 8 == len(events)
    assert [
        f"an observer failed: {observer.__name__}\n  the call goes on; more errors of this observer are not logged"
    ] == caplog.messages
    assert caplog.records[0].exc_info


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (print, "<built-in function print> is no observer\n  it has no method observe(event)"),
        (Recording, f"{Recording!r} is no observer\n  it is a class"),
    ],
)
def test_what_is_no_observer_is_refused(given, expected):
    """When the client is made, not in the middle of a call."""
    with pytest.raises(ConfigError) as caught:
        SyncLLMClient(provider_instance=Mine(), observers=[given])

    assert f"{expected}\n  for example: LLMClient(observers=[Logging()])" == str(caught.value)


def test_times_are_of_the_clock_that_is_handed_in():
    """From the beginning of the call."""
    events, ticks = Recording(), itertools.count()
    client = SyncLLMClient(provider_instance=Mine())
    call, request = client._start_call(), client._build_request("hi")
    call.observed = Observation(Observers([events]), lambda: float(next(ticks)))
    started = call.observed.begin("stream", call.provider, request, None)
    call.enter(request)
    call.content()
    call.content()
    call.observed.end(started, "mine", call.attempts, None, None)

    assert [2.0] == [one.after_s for one in events if isinstance(one, FirstContent)]
    assert (3.0, 2.0) == (events[-1].duration_s, events[-1].first_content_s)


@pytest.mark.parametrize("wrap", [observed_sync, observed_async])
def test_without_observers_nothing_is_made(wrap):
    """The flow and what does its steps are the very same."""
    client = SyncLLMClient(provider_instance=Mine())
    call, flow, executor = client._start_call(), object(), object()

    assert call.observed is None
    assert (flow, executor) == wrap("chat", call, client._build_request("hi"), flow, executor)


def test_an_observer_sees_a_cancelled_attempt_as_the_call_counts_it():
    """It may be billed, and both records state so."""
    seen = Recording()
    client = LLMClient(provider_instance=Mine(asyncio.CancelledError()), observers=[seen])
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(client.chat("hi"))
    (attempt,) = [event.attempt for event in seen if isinstance(event, AttemptEnded)]
    (call,) = [event for event in seen if isinstance(event, CallEnded)]

    assert [(True, "cancelled", "custom")] == [(one.is_billed, one.error, one.api) for one in call.attempts]
    assert (attempt.is_billed, attempt.error, attempt.api) == (True, "cancelled", "custom")

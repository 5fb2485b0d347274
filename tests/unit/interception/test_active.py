"""Each call is routed to the cassette of its own test."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context

import pytest

from llm_gateway.exceptions import RouteError
from llm_gateway.interception import active


class Opened:
    """Stub of an open cassette, with the two attributes that routing reads."""

    def __init__(self, path):
        self.path, self.is_closed = path, False


@pytest.fixture
def opened():
    entered = []

    def enter(name):
        cassette = Opened(name)
        entered.append((cassette, active.enter(cassette)))
        return cassette

    yield enter
    for cassette, token in reversed(entered):
        cassette.is_closed = True
        active.leave(cassette, token)


def test_without_an_open_cassette_there_is_none_to_route_to():
    """The current cassette is None."""
    assert active.current() is None


def test_an_empty_context_gets_the_only_open_cassette(opened):
    """Threads that inherit no context still run during the current test."""
    cassette = opened("a")

    assert cassette is Context().run(active.current)


def test_an_empty_context_with_several_open_cassettes_is_an_error(opened):
    """The message names them all."""
    opened("a.yaml")
    opened("b.yaml")

    with pytest.raises(RouteError, match=r"2 cassettes are open.*a.yaml, b.yaml"):
        Context().run(active.current)


def test_a_context_of_a_closed_cassette_gets_the_open_one(opened):
    """An event loop that outlives a test still has that test's cassette in its context."""
    first = opened("a")
    stale = copy_context()
    first.is_closed = True
    second = opened("b")
    active._open.remove(first)
    found = stale.run(active.current)
    active._open.append(first)

    assert second is found


def test_threads_pools_and_tasks_inherit_the_cassette(opened):
    """Also while several cassettes are open."""
    opened("other")
    mine = opened("mine")
    seen = []

    thread = threading.Thread(target=lambda: seen.append(active.current()))
    thread.start()
    thread.join()
    with ThreadPoolExecutor(1) as pool:
        seen.append(pool.submit(active.current).result())
        seen += list(pool.map(lambda _: active.current(), [1]))

    async def tasks():
        return await asyncio.gather(asyncio.to_thread(active.current), asyncio.create_task(_current()))

    seen += asyncio.run(tasks())

    assert [mine] * 5 == seen


async def _current():
    return active.current()

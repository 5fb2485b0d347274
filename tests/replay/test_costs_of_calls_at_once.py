"""Costs of calls that are open at the same time: each has the cost recorded with it, in every total."""

import asyncio
import http.server
import json
import threading
from decimal import Decimal

import httpx2
import pytest

from llm_gateway import LLMClient, SyncLLMClient
from llm_gateway.cassettes.modes import Mode
from llm_gateway.cost import CostTracker, Totals, overrides, register_pricing
from llm_gateway.interception.use_cassette import use_cassette

MILLION = 1_000_000
COSTS = {"first": Decimal(1), "second": Decimal(2), "plain": Decimal(4)}


class Handler(http.server.BaseHTTPRequestHandler):
    """Handler of chat completions whose prompt selects how many dollars the call costs."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        prompt = str(request["messages"][-1]["content"])
        tokens = int(COSTS[prompt] * MILLION)
        usage = {"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens}
        base = {"id": "c", "model": "m", "created": 0}
        if request.get("stream"):
            deltas = [{"role": "assistant", "content": "a"}, {"content": "b"}, {"content": "c"}]
            chunks = [{"choices": [{"index": 0, "delta": one, "finish_reason": None}]} for one in deltas]
            chunks += [
                {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
                {"choices": [], "usage": usage},
            ]
            events = [f"data: {json.dumps({**base, 'object': 'chat.completion.chunk', **one})}\n\n" for one in chunks]
            return self.answer("".join([*events, "data: [DONE]\n\n"]).encode(), "text/event-stream")
        message = {"role": "assistant", "content": "pong"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        whole = {**base, "object": "chat.completion", "choices": [choice], "usage": usage}
        return self.answer(json.dumps(whole).encode(), "application/json")

    def answer(self, raw, kind):
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args):
        pass


@pytest.fixture
def url():
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}/v1"
    made.shutdown()
    made.server_close()


def client_of(kind, url, tracker):
    return kind(model="openai:m", api_key="k", base_url=url, cost_tracker=tracker)


def two_streams(url, tracker):
    """Read two streams in turns."""
    with client_of(SyncLLMClient, url, tracker) as llm:
        first, second = llm.stream("first"), llm.stream("second")
        next(iter(first)), next(iter(second)), list(first), list(second)
        return {"first": first.response, "second": second.response}


def three_streams_backwards(url, tracker):
    """Read three streams to their end in reverse order."""
    with client_of(SyncLLMClient, url, tracker) as llm:
        streams = {name: llm.stream(name) for name in ("plain", "first", "second")}
        for one in streams.values():
            next(iter(one))
        for one in reversed(streams.values()):
            list(one)
        return {name: one.response for name, one in streams.items()}


def stream_and_plain_call(url, tracker):
    """Make a plain HTTP call while a stream is open."""
    with client_of(SyncLLMClient, url, tracker) as llm:
        stream = llm.stream("first")
        next(iter(stream))
        body = {"model": "m", "messages": [{"role": "user", "content": "plain"}]}
        httpx2.post(f"{url}/chat/completions", json=body).raise_for_status()
        list(stream)
        return {"first": stream.response}


def in_one_task(url, tracker):
    """Read two async streams in one task."""

    async def read():
        async with client_of(LLMClient, url, tracker) as llm:
            first, second = llm.stream("first"), llm.stream("second")
            readers = [aiter(first), aiter(second)]
            for reader in readers:
                await anext(reader)
            for reader in readers:
                [_ async for _ in reader]
            return {"first": first.response, "second": second.response}

    return asyncio.run(read())


def in_two_tasks(url, tracker):
    """Read a stream in one task and make a chat in another."""

    async def read():
        async with client_of(LLMClient, url, tracker) as llm:
            stream = llm.stream("first")

            async def all_of_it():
                [_ async for _ in stream]

            _, whole = await asyncio.gather(all_of_it(), llm.chat("second"))
            return {"first": stream.response, "second": whole}

    return asyncio.run(read())


def in_threads(url, tracker):
    """Read a stream in each of two threads, both open at the same time."""
    found, both_open = {}, threading.Barrier(2)

    with client_of(SyncLLMClient, url, tracker) as llm:

        def read(name):
            stream = llm.stream(name)
            next(iter(stream))
            both_open.wait(30)
            list(stream)
            found[name] = stream.response

        threads = [threading.Thread(target=read, args=(name,)) for name in ("first", "second")]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    return found


@pytest.mark.parametrize(
    "make_calls", [two_streams, three_streams_backwards, stream_and_plain_call, in_one_task, in_two_tasks, in_threads]
)
def test_each_call_has_its_own_cost(make_calls, url, tmp_path):
    """The recorded and the replayed cost are the same, also when the price is no longer known."""
    path = tmp_path / "a.yaml"
    for mode in (Mode.RECORD, Mode.REPLAY):
        tracker = CostTracker()
        if mode is Mode.RECORD:
            register_pricing("openai:m", input=1, output=1)
        try:
            with use_cassette(path, mode) as cassette:
                answers = make_calls(url, tracker)
        finally:
            overrides.clear()

        assert {name: COSTS[name] for name in answers} == {name: one.cost_usd for name, one in answers.items()}
        assert {mode.value} == {one.source for one in cassette.calls}
        assert tracker.total_cost_usd == sum(COSTS[name] for name in answers)
        seen = Totals.of(cassette.calls)
        assert (
            sum(COSTS[name] for name in {*answers, *(["plain"] if make_calls is stream_and_plain_call else [])})
            == seen.cost_usd
        )


def test_stream_closed_early_has_its_recorded_cost(url, tmp_path):
    """The cost of the other open stream is not part of it."""
    register_pricing("openai:m", input=1, output=1)
    path = tmp_path / "a.yaml"
    with use_cassette(path, Mode.RECORD):
        two_streams(url, CostTracker())
    overrides.clear()
    tracker = CostTracker()
    with use_cassette(path) as cassette, client_of(SyncLLMClient, url, tracker) as llm:
        second = llm.stream("second")
        with llm.stream("first") as first:
            next(iter(first)), next(iter(second))
        list(second)

    assert Decimal(2) == second.response.cost_usd
    assert [("cancelled", Decimal(1)), (None, Decimal(2))] == [(one.error, one.cost_usd) for one in tracker.attempts]
    assert Decimal(3) == tracker.total_cost_usd == Totals.of(cassette.calls).cost_usd

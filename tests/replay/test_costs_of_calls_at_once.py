"""Calls that are open at the same time: each has the cost that was recorded with it, in every total."""

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
    """Answers in chat completions; the prompt says how many dollars the call is to cost."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        prompt = str(asked["messages"][-1]["content"])
        tokens = int(COSTS[prompt] * MILLION)
        usage = {"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens}
        base = {"id": "c", "model": "m", "created": 0}
        if asked.get("stream"):
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


def made(kind, url, tracker):
    return kind(model="openai:m", api_key="k", base_url=url, cost_tracker=tracker)


def two_streams(url, tracker):
    """Two streams, read in turns."""
    with made(SyncLLMClient, url, tracker) as llm:
        first, second = llm.stream("first"), llm.stream("second")
        next(iter(first)), next(iter(second)), list(first), list(second)
        return {"first": first.response, "second": second.response}


def three_streams_backwards(url, tracker):
    """The one that was opened last ends first."""
    with made(SyncLLMClient, url, tracker) as llm:
        streams = {name: llm.stream(name) for name in ("plain", "first", "second")}
        for one in streams.values():
            next(iter(one))
        for one in reversed(streams.values()):
            list(one)
        return {name: one.response for name, one in streams.items()}


def beside_a_plain_call(url, tracker):
    """A stream whose reader asks a model through a library of its own meanwhile."""
    with made(SyncLLMClient, url, tracker) as llm:
        stream = llm.stream("first")
        next(iter(stream))
        body = {"model": "m", "messages": [{"role": "user", "content": "plain"}]}
        httpx2.post(f"{url}/chat/completions", json=body).raise_for_status()
        list(stream)
        return {"first": stream.response}


def in_one_task(url, tracker):
    """Two async streams in one task."""

    async def read():
        async with made(LLMClient, url, tracker) as llm:
            first, second = llm.stream("first"), llm.stream("second")
            readers = [aiter(first), aiter(second)]
            for reader in readers:
                await anext(reader)
            for reader in readers:
                [_ async for _ in reader]
            return {"first": first.response, "second": second.response}

    return asyncio.run(read())


def in_two_tasks(url, tracker):
    """A stream and a whole answer, each in a task of its own."""

    async def read():
        async with made(LLMClient, url, tracker) as llm:
            stream = llm.stream("first")

            async def all_of_it():
                [_ async for _ in stream]

            _, whole = await asyncio.gather(all_of_it(), llm.chat("second"))
            return {"first": stream.response, "second": whole}

    return asyncio.run(read())


def in_threads(url, tracker):
    """Two threads, each of which has a stream open when the other one begins."""
    found, both_open = {}, threading.Barrier(2)

    with made(SyncLLMClient, url, tracker) as llm:

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
    "ask", [two_streams, three_streams_backwards, beside_a_plain_call, in_one_task, in_two_tasks, in_threads]
)
def test_each_call_has_its_own_cost(ask, url, tmp_path):
    """When it is recorded, and when it is replayed where nobody knows its price any more."""
    path = tmp_path / "a.yaml"
    for mode in (Mode.RECORD, Mode.REPLAY):
        tracker = CostTracker()
        if mode is Mode.RECORD:
            register_pricing("openai:m", input=1, output=1)
        try:
            with use_cassette(path, mode) as cassette:
                answers = ask(url, tracker)
        finally:
            overrides.clear()

        assert {name: COSTS[name] for name in answers} == {name: one.cost_usd for name, one in answers.items()}
        assert {mode.value} == {one.source for one in cassette.calls}
        assert tracker.total_cost_usd == sum(COSTS[name] for name in answers)
        seen = Totals.of(cassette.calls)
        assert (
            sum(COSTS[name] for name in {*answers, *(["plain"] if ask is beside_a_plain_call else [])}) == seen.cost_usd
        )


def test_a_stream_that_is_left_counts_as_what_was_recorded(url, tmp_path):
    """Its reader stops; the other stream is no part of it."""
    register_pricing("openai:m", input=1, output=1)
    path = tmp_path / "a.yaml"
    with use_cassette(path, Mode.RECORD):
        two_streams(url, CostTracker())
    overrides.clear()
    tracker = CostTracker()
    with use_cassette(path) as cassette, made(SyncLLMClient, url, tracker) as llm:
        second = llm.stream("second")
        with llm.stream("first") as first:
            next(iter(first)), next(iter(second))
        list(second)

    assert Decimal(2) == second.response.cost_usd
    assert [("cancelled", Decimal(1)), (None, Decimal(2))] == [(one.error, one.cost_usd) for one in tracker.attempts]
    assert Decimal(3) == tracker.total_cost_usd == Totals.of(cassette.calls).cost_usd

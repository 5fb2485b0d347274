"""One contract for every store of answers, with a real Redis, and for the client with each of them."""

import asyncio
import contextlib
import logging
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from pydantic import BaseModel

from llm_gateway import LLMClient, SyncLLMClient
from llm_gateway.client.cache import MemoryStore, RedisStore, SQLiteStore


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory):
    """A server of our own, on loopback, that writes nothing to disk."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server on PATH: apt-get install redis-server")
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = subprocess.Popen([program, *options], cwd=tmp_path_factory.mktemp("redis"), stdout=subprocess.DEVNULL)
    with redis.Redis(port=port) as client:
        for _ in range(500):
            with contextlib.suppress(redis.ConnectionError):
                if client.ping():
                    break
            time.sleep(0.01)
    yield f"redis://127.0.0.1:{port}/0?socket_timeout=30&socket_connect_timeout=30"
    server.terminate()
    server.wait(10)


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def moved(url):
    """A function that lets *seconds* pass for all that a Redis holds."""

    def pass_time(seconds):
        with redis.Redis.from_url(url) as client:
            for key in client.scan_iter():
                client.pexpire(key, client.pttl(key) - round(seconds * 1000))

    return pass_time


@pytest.fixture(params=["memory", "sqlite", "redis"])
def kept(request, tmp_path):
    """A store, and a function that lets time pass for it."""
    clock = Clock()

    def pass_time(seconds):
        clock.now += seconds

    if request.param == "redis":
        url = request.getfixturevalue("redis_url")
        store, pass_time = RedisStore(url), moved(url)
    else:
        store = MemoryStore(clock=clock) if request.param == "memory" else SQLiteStore(tmp_path / "a.db", clock=clock)
    yield store, pass_time
    store.close()
    if request.param == "redis":
        with redis.Redis.from_url(url) as client:
            client.flushall()


@pytest.fixture
def store(kept):
    return kept[0]


class TestEveryStore:
    """What holds for all."""

    def test_what_is_put_is_there(self, store):
        """Whatever the bytes; the later value wins; what was never put is not there."""
        large = bytes(range(256)) * 4096
        for key, value in [("a", b"1"), ("b", b""), ("a", large)]:
            store.put(key, value, 60)

        assert [large, b"", None] == [store.get(key) for key in ("a", "b", "c")]

    def test_time_runs_out(self, kept):
        """For each value its own; a value that is put again starts again."""
        store, pass_time = kept
        store.put("short", b"1", 5)
        store.put("long", b"2", 60)
        pass_time(4)
        store.put("again", b"3", 5)
        pass_time(2)

        assert [None, b"2", b"3"] == [store.get(key) for key in ("short", "long", "again")]

    def test_many_threads_at_once(self, store):
        """Nobody reads what nobody put."""

        def work(number):
            for turn in range(10):
                store.put(f"k{turn}", b"%d" % turn * 500, 60)
                assert b"%d" % turn * 500 == store.get(f"k{turn}")

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))

    def test_it_can_be_closed_twice_and_used_again(self, store):
        """A client that is closed may not be the only one that has it."""
        store.put("a", b"1", 60)
        store.close()
        store.close()
        store.put("b", b"2", 60)

        assert b"2" == store.get("b")


def test_memory_is_bounded():
    """The least recently used go first; what is larger than all is not kept, and drops the older value."""
    store = MemoryStore(max_bytes=10)
    for key in "abc":
        store.put(key, b"1234", 60)
        store.get("a")
    store.put("c", b"x" * 11, 60)

    assert [b"1234", None, None] == [store.get(key) for key in "abc"]


def test_a_file_is_bounded(tmp_path):
    """What was written first goes first, and what is over is cleared away."""
    clock = Clock()
    store = SQLiteStore(tmp_path / "a.db", max_bytes=400_000, clock=clock)
    store.put("large", b"x" * 40_001, 60)
    store.put("short", b"x", 1)
    clock.now += 2
    for number in range(60):
        store.put(f"k{number}", b"x" * 20_000, 60)
    found = [number for number in range(60) if store.get(f"k{number}")]
    store.close()

    assert store.get("large") is None
    assert found == list(range(60 - len(found), 60))
    assert 10 < len(found) < 20
    assert (tmp_path / "a.db").stat().st_size < 480_000
    with contextlib.closing(sqlite3.connect(tmp_path / "a.db")) as read:
        assert [(0,)] == read.execute("SELECT count(*) FROM answers WHERE key = 'short'").fetchall()
    store.close()


def test_a_file_outlives_a_write_that_fails(tmp_path):
    """The next one finds nothing half done."""
    store = SQLiteStore(tmp_path / "a.db")
    with pytest.raises(sqlite3.Error):
        store.put(["no key"], b"1", 60)
    store.put("a", b"2", 60)
    found = store.get("a")
    store.close()

    assert b"2" == found


def test_a_file_is_its_owners(tmp_path):
    """Answers may be confidential; folders that are missing are made."""
    store = SQLiteStore(tmp_path / "sub" / "a.db")
    store.put("a", b"1", 60)
    modes = {one.name: one.stat().st_mode & 0o777 for one in (tmp_path / "sub").iterdir()}
    store.close()

    assert {"a.db": 0o600, "a.db-wal": 0o600, "a.db-shm": 0o600} == modes


WORK = """
import sys
from llm_gateway.client.cache import SQLiteStore
store = SQLiteStore(sys.argv[1], wait_s=30)
for turn in range(50):
    store.put(f"{sys.argv[2]}-{turn}", sys.argv[2].encode() * 1000, 60)
    store.put("shared", sys.argv[2].encode() * 1000, 60)
    assert store.get("shared") in [name * 1000 for name in (b"a", b"b", b"c", b"d")]
store.close()
"""


def test_several_processes_share_a_file(tmp_path):
    """They may all be the first to open it."""
    path = tmp_path / "a.db"
    running = [
        subprocess.Popen([sys.executable, "-c", WORK, path, name], stderr=subprocess.PIPE, text=True) for name in "abcd"
    ]
    errors = [one.communicate(timeout=60)[1] for one in running]
    store = SQLiteStore(path)
    found = [store.get(f"{name}-{turn}") is not None for name in "abcd" for turn in range(50)]
    store.close()

    assert ["", "", "", ""] == errors
    assert all(found)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_opens_the_file_for_itself(tmp_path):
    """It inherits a connection that is its parent's."""
    store = SQLiteStore(tmp_path / "a.db")
    store.put("a", b"1", 60)
    child = os.fork()
    if child == 0:
        try:
            store.put("b", store.get("a") + b"2", 60)
            store.close()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    found = store.get("b")
    store.close()

    assert b"12" == found


class Answer(BaseModel):
    answer: str


@pytest.fixture(params=[SyncLLMClient, LLMClient])
def colour(request):
    return request.param


def run(client, *works):
    """What *works*, functions of a client, come to in turn, in the client's own colour."""
    if isinstance(client, SyncLLMClient):
        with client:
            return [work(client) for work in works]

    async def go():
        async with client:
            return [await found if asyncio.iscoroutine(found := work(client)) else found for work in works]

    return asyncio.run(go())


def read(llm):
    """The deltas of a stream, and its response."""
    stream = llm.stream("hello")
    if isinstance(llm, SyncLLMClient):
        return [one.text for one in stream], stream.response

    async def go():
        return [one.text async for one in stream], stream.response

    return go()


@pytest.fixture
def client(api, colour, monkeypatch):
    """A client by its cache."""
    monkeypatch.setenv("LLM_MAX_RETRIES", "0")
    return lambda cache=None: colour(provider="openai", api_key="k", base_url=f"{api.url}/v1", cache=cache)


def test_each_verb_is_answered_from_each_store(client, store, api):
    """Once asked, never again, by any client that has the store; the totals stay those of what was asked."""
    first, second = client(store), client(store)

    def chat(llm):
        return llm.chat("hello")

    def complete(llm):
        return llm.complete("wrong shape", response_model=Answer)

    run(first, chat, complete)
    asked = len(api.asked)
    chatted, completed, (texts, streamed) = run(second, chat, complete, read)

    assert 3 == asked == len(api.asked)
    assert ["HELLO", Answer(answer="forty-two"), "HELLO"] == [one.content for one in (chatted, completed, streamed)]
    assert [(True, 0)] * 3 == [(one.cached, one.cost_usd) for one in (chatted, completed, streamed)]
    assert first.total_cost_usd == chatted.saved_cost_usd + completed.saved_cost_usd
    assert ["HELLO"] == texts
    assert (3, 0, 0, {}) == (second.call_count, second.total_tokens, second.total_cost_usd, second.cost_summary())


def test_a_call_may_pass_the_cache_by(client, api):
    """It neither finds nor leaves anything there; a client may be told so for all its calls."""
    store = MemoryStore()

    def past(llm):
        return llm.chat("hello", cache=False)

    run(client(store), past, past, lambda llm: llm.chat("hello"), past)
    run(client(False), lambda llm: llm.chat("hello"))

    assert 5 == len(api.asked)


def test_settings_name_the_store(client, api, tmp_path, monkeypatch):
    """A file is found by the next client; it is closed with each, and time and tenant are set beside it."""
    monkeypatch.setenv("LLM_CACHE", str(tmp_path / "a.db"))
    for tenant, ttl in [("a", 3600), ("a", 3600), ("b", 1e-9), ("b", 60)]:
        monkeypatch.setenv("LLM_CACHE_TENANT", tenant)
        monkeypatch.setenv("LLM_CACHE_TTL_S", str(ttl))
        run(client(), lambda llm: llm.chat("hello"))

    assert 3 == len(api.asked)
    assert ["a.db"] == [one.name for one in tmp_path.iterdir()]


def connections_to(listener):
    """Count the connections that *listener* has not accepted, and close them."""
    listener.setblocking(False)
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            count += 1
    return count


@pytest.mark.parametrize("fault", ["away", "silent"])
def test_a_redis_that_is_gone_fails_no_call(client, api, fault, caplog):
    """It costs one call its time limit; those that follow do not ask it, and one line says so."""
    with socket.create_server(("127.0.0.1", 0)) as silent, caplog.at_level(logging.WARNING, "llm_gateway.cache"):
        port = free_port() if fault == "away" else silent.getsockname()[1]
        store = RedisStore(f"redis://127.0.0.1:{port}")
        found = run(client(store), *[lambda llm: llm.chat("hello")] * 5)
        store.close()
        attempts = connections_to(silent)

    assert [("HELLO", False)] * 5 == [(one.content, one.cached) for one in found]
    assert (0 if fault == "away" else 1) == attempts
    assert 1 == len(caplog.messages)
    assert caplog.messages[0].startswith("the cache does not work, calls go on without it: ")


def test_a_file_that_is_none_fails_no_call(client, tmp_path, caplog):
    """It is left as it is."""
    path = tmp_path / "a.db"
    path.write_text("not a database, " * 100)
    store = SQLiteStore(path)
    found = run(client(store), *[lambda llm: llm.chat("hello")] * 2)
    store.close()

    assert ["HELLO", "HELLO"] == [one.content for one in found]
    assert path.read_text().startswith("not a database, ")
    assert ["the cache does not work, calls go on without it: DatabaseError: file is not a database"] == caplog.messages

"""Contract of every answer cache, with a real Redis server, and of the client with each of them."""

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
    """Start a Redis server on loopback that writes nothing to disk, and yield its URL."""
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


def redis_clock(url):
    """Return a function that shortens the expiry of every key in Redis by some seconds."""

    def pass_time(seconds):
        with redis.Redis.from_url(url) as client:
            for key in client.scan_iter():
                client.pexpire(key, client.pttl(key) - round(seconds * 1000))

    return pass_time


@pytest.fixture(params=["memory", "sqlite", "redis"])
def store_and_clock(request, tmp_path):
    """Return a store, and a function that advances its clock by some seconds."""
    clock = Clock()

    def pass_time(seconds):
        clock.now += seconds

    if request.param == "redis":
        url = request.getfixturevalue("redis_url")
        store, pass_time = RedisStore(url), redis_clock(url)
    else:
        store = MemoryStore(clock=clock) if request.param == "memory" else SQLiteStore(tmp_path / "a.db", clock=clock)
    yield store, pass_time
    store.close()
    if request.param == "redis":
        with redis.Redis.from_url(url) as client:
            client.flushall()


@pytest.fixture
def store(store_and_clock):
    return store_and_clock[0]


class TestEveryStore:
    """Behaviour of every store."""

    def test_get_returns_the_last_put(self, store):
        """Any bytes are stored; a missing key returns None."""
        large = bytes(range(256)) * 4096
        for key, value in [("a", b"1"), ("b", b""), ("a", large)]:
            store.put(key, value, 60)

        assert [large, b"", None] == [store.get(key) for key in ("a", "b", "c")]

    def test_values_expire(self, store_and_clock):
        """Each value has its own lifetime, which starts again with each put."""
        store, pass_time = store_and_clock
        store.put("short", b"1", 5)
        store.put("long", b"2", 60)
        pass_time(4)
        store.put("again", b"3", 5)
        pass_time(2)

        assert [None, b"2", b"3"] == [store.get(key) for key in ("short", "long", "again")]

    def test_threads_share_a_store(self, store):
        """Each thread reads only values that were put."""

        def work(number):
            for turn in range(10):
                store.put(f"k{turn}", b"%d" % turn * 500, 60)
                assert b"%d" % turn * 500 == store.get(f"k{turn}")

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))

    def test_closed_store_can_be_used_again(self, store):
        """Closing twice is no error, since clients may share a store."""
        store.put("a", b"1", 60)
        store.close()
        store.close()
        store.put("b", b"2", 60)

        assert b"2" == store.get("b")


def test_memory_store_evicts_least_recently_used():
    """A value larger than the whole store is not kept, and removes the older value of its key."""
    store = MemoryStore(max_bytes=10)
    for key in "abc":
        store.put(key, b"1234", 60)
        store.get("a")
    store.put("c", b"x" * 11, 60)

    assert [b"1234", None, None] == [store.get(key) for key in "abc"]


def test_sqlite_store_evicts_oldest_and_expired(tmp_path):
    """The file stays below its limit, and a value too large for it is not stored."""
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


def test_failed_write_leaves_sqlite_store_usable(tmp_path):
    """The next write is not affected by the failed transaction."""
    store = SQLiteStore(tmp_path / "a.db")
    with pytest.raises(sqlite3.Error):
        store.put(["no key"], b"1", 60)
    store.put("a", b"2", 60)
    found = store.get("a")
    store.close()

    assert b"2" == found


def test_sqlite_files_are_readable_by_owner_only(tmp_path):
    """Answers may be confidential; missing folders are created."""
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


def test_processes_share_a_sqlite_store(tmp_path):
    """Four processes may create the file at the same time."""
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
def test_forked_process_opens_its_own_connection(tmp_path):
    """The connection inherited from the parent is not used."""
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
def client_class(request):
    return request.param


def run(client, *calls):
    """Return the results of *calls*, functions of a client, made one after the other with a sync or async client."""
    if isinstance(client, SyncLLMClient):
        with client:
            return [call(client) for call in calls]

    async def go():
        async with client:
            return [await found if asyncio.iscoroutine(found := call(client)) else found for call in calls]

    return asyncio.run(go())


def read(llm):
    """Return the texts of a stream, and its response."""
    stream = llm.stream("hello")
    if isinstance(llm, SyncLLMClient):
        return [one.text for one in stream], stream.response

    async def go():
        return [one.text async for one in stream], stream.response

    return go()


@pytest.fixture
def client(api, client_class, monkeypatch):
    """Return a function that makes a client with the given cache."""
    monkeypatch.setenv("LLM_MAX_RETRIES", "0")
    return lambda cache=None: client_class(provider="openai", api_key="k", base_url=f"{api.url}/v1", cache=cache)


def test_chat_complete_and_stream_are_answered_from_the_cache(client, store, api):
    """A second client with the same store sends no request, and its totals stay at zero."""
    first, second = client(store), client(store)

    def chat(llm):
        return llm.chat("hello")

    def complete(llm):
        return llm.complete("wrong shape", response_model=Answer)

    run(first, chat, complete)
    request_count = len(api.requests)
    chatted, completed, (texts, streamed) = run(second, chat, complete, read)

    assert 3 == request_count == len(api.requests)
    assert ["HELLO", Answer(answer="forty-two"), "HELLO"] == [one.content for one in (chatted, completed, streamed)]
    assert [(True, 0)] * 3 == [(one.cached, one.cost_usd) for one in (chatted, completed, streamed)]
    assert first.total_cost_usd == chatted.saved_cost_usd + completed.saved_cost_usd
    assert ["HELLO"] == texts
    assert (3, 0, 0, {}) == (second.call_count, second.total_tokens, second.total_cost_usd, second.cost_summary())


def test_cache_false_bypasses_the_cache(client, api):
    """For a call or for a whole client, nothing is read from the cache or written to it."""
    store = MemoryStore()

    def uncached(llm):
        return llm.chat("hello", cache=False)

    run(client(store), uncached, uncached, lambda llm: llm.chat("hello"), uncached)
    run(client(False), lambda llm: llm.chat("hello"))

    assert 5 == len(api.requests)


def test_environment_sets_cache_file_tenant_and_lifetime(client, api, tmp_path, monkeypatch):
    """Clients share the file of LLM_CACHE; each tenant has its own answers."""
    monkeypatch.setenv("LLM_CACHE", str(tmp_path / "a.db"))
    for tenant, ttl in [("a", 3600), ("a", 3600), ("b", 1e-9), ("b", 60)]:
        monkeypatch.setenv("LLM_CACHE_TENANT", tenant)
        monkeypatch.setenv("LLM_CACHE_TTL_S", str(ttl))
        run(client(), lambda llm: llm.chat("hello"))

    assert 3 == len(api.requests)
    assert ["a.db"] == [one.name for one in tmp_path.iterdir()]


def connections_to(listener):
    """Return how many connections *listener* has not accepted yet, and close them."""
    listener.setblocking(False)
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            count += 1
    return count


@pytest.mark.parametrize("fault", ["away", "silent"])
def test_unreachable_redis_fails_no_call(client, api, fault, caplog):
    """One call waits for its timeout; later calls skip the cache, and one warning is logged."""
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


def test_invalid_cache_file_fails_no_call(client, tmp_path, caplog):
    """A file that is no database is left unchanged."""
    path = tmp_path / "a.db"
    path.write_text("not a database, " * 100)
    store = SQLiteStore(path)
    found = run(client(store), *[lambda llm: llm.chat("hello")] * 2)
    store.close()

    assert ["HELLO", "HELLO"] == [one.content for one in found]
    assert path.read_text().startswith("not a database, ")
    assert ["the cache does not work, calls go on without it: DatabaseError: file is not a database"] == caplog.messages

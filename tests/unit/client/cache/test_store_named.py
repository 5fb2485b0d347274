"""Stores by their names."""

import sys

import pytest

from llm_gateway.client.cache.cache import store_named
from llm_gateway.client.cache.memory import MemoryStore
from llm_gateway.client.cache.redis import RedisStore
from llm_gateway.client.cache.sqlite import SQLiteStore
from llm_gateway.exceptions import ConfigError


@pytest.mark.parametrize(
    ("named", "kind"),
    [
        ("memory", MemoryStore),
        ("answers.sqlite", SQLiteStore),
        ("./answers", SQLiteStore),
        ("sqlite:///answers", SQLiteStore),
        ("redis://localhost:1/0", RedisStore),
        ("rediss://me:pw@localhost:1", RedisStore),
        ("unix:///run/redis.sock", RedisStore),
    ],
)
def test_a_name_makes_its_store(named, kind):
    """Nothing is opened before it is used."""
    store = store_named(named)
    store.close()

    assert kind is type(store)


def test_paths_are_as_in_sqlalchemy(tmp_path, monkeypatch):
    """Three slashes for a path from here, four for one from the root; a tilde is the home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    names = ["sqlite:///a.db", f"sqlite:///{tmp_path}/sub/b.db", "~/c.db"]
    for store in map(store_named, names):
        store.put("k", b"v", 1)
        store.close()

    assert ["a.db", "home/c.db", "sub/b.db"] == sorted(str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*.db"))


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        ("memry", "memry"),
        ("", ""),
        ("sqlite:///", "sqlite://..."),
        ("sqlite://a.db", "sqlite://..."),
        ("postgres://me:pw@host/db", "postgres://..."),
    ],
)
def test_another_name_is_refused(named, shown):
    """With what there is; a password is not shown."""
    with pytest.raises(ConfigError) as caught:
        store_named(named)
    assert (
        f"LLM_CACHE = {shown!r} is no cache\n"
        "  it is neither memory, nor a path, nor an address of a known kind\n"
        "  export LLM_CACHE=memory, or ./answers.sqlite, sqlite:///answers.sqlite, redis://localhost:6379/0"
    ) == str(caught.value)


def test_an_address_that_is_none_is_refused():
    """By what is wrong in it."""
    with pytest.raises(
        ConfigError, match=r"^no address of a Redis: redis://\.\.\.\n  .*\n  export LLM_CACHE=redis://l"
    ) as caught:
        store_named("redis://me:hush@host:port")
    assert "hush" not in str(caught.value)


def test_a_missing_package_is_named(monkeypatch):
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigError) as caught:
        store_named("redis://localhost")
    assert (
        "a cache in Redis needs the package redis\n"
        "  import of redis halted; None in sys.modules\n"
        "  pip install 'pytest-llm-gateway[redis]'"
    ) == str(caught.value)

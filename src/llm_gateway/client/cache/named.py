"""The store that ``LLM_CACHE`` names."""

from __future__ import annotations

import re
from collections.abc import Callable

from llm_gateway.client.cache.memory import MemoryStore
from llm_gateway.client.cache.redis import RedisStore
from llm_gateway.client.cache.sqlite import SQLiteStore
from llm_gateway.client.cache.store import CacheStore
from llm_gateway.exceptions import ConfigError

__all__ = ["store_named"]

_SCHEMES: dict[str, Callable[[str], CacheStore]] = {
    "sqlite": lambda named: SQLiteStore(named.removeprefix("sqlite:///")),
    "redis": RedisStore,
    "rediss": RedisStore,
    "unix": RedisStore,
}
_PATH = re.compile(r"[./\\]")


def store_named(named: str) -> CacheStore:
    """
    The store for *named*: ``memory``, ``sqlite:///`` and a path, an address of a Redis, or a path.

    Raises:
        ConfigError: It is none of these, or needs a package that is not installed.
    """
    scheme, is_address, _ = named.partition("://")
    if named == "memory":
        return MemoryStore()
    if is_address and scheme in _SCHEMES:
        return _SCHEMES[scheme](named)
    if not is_address and _PATH.search(named):
        return SQLiteStore(named)
    raise ConfigError(
        # What follows a scheme may hold a password.
        f"LLM_CACHE={f'{scheme}://...' if is_address else named!r} is no cache",
        cause="it is neither memory, nor a path, nor an address of a known kind",
        fix="export LLM_CACHE=memory, ./answers.sqlite, sqlite:///answers.sqlite or redis://localhost:6379/0",
    )

"""The store that a setting names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NoReturn

from llm_gateway.client.cache.memory import MemoryStore
from llm_gateway.client.cache.redis import RedisStore
from llm_gateway.client.cache.sqlite import SQLiteStore
from llm_gateway.client.cache.store import CacheStore
from llm_gateway.exceptions import ConfigError

__all__ = ["store_named"]

_FILE = "sqlite:///"
_LOOKS_LIKE_A_PATH = re.compile(r"[./\\]")


def store_named(named: str) -> CacheStore:
    """
    The store for *named*: ``memory``, ``sqlite:///`` and a path, an address of a Redis, or a path.

    Raises:
        ConfigError: It is none of these, or needs a package that is not installed.
    """
    scheme, is_address, rest = named.partition("://")
    if named == "memory":
        return MemoryStore()
    if scheme in ("redis", "rediss", "unix") and is_address:
        return RedisStore(named)
    path = named.removeprefix(_FILE)
    if not path or (is_address and path == named) or not (is_address or _LOOKS_LIKE_A_PATH.search(named)):
        _refuse(f"{scheme}://..." if rest else named)
    return SQLiteStore(Path(path).expanduser())


def _refuse(shown: str) -> NoReturn:
    """Of an address *shown* holds the scheme alone: what follows may be a password."""
    raise ConfigError(
        f"LLM_CACHE = {shown!r} is no cache",
        cause="it is neither memory, nor a path, nor an address of a known kind",
        fix="export LLM_CACHE=memory, or ./answers.sqlite, sqlite:///answers.sqlite, redis://localhost:6379/0",
    )

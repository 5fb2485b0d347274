"""The response cache of a client: a store, what may be kept there and for how long, and what happens when it fails."""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn

from llm_gateway.client.cache.entry import Entry, decode, encode, is_cacheable
from llm_gateway.client.cache.memory import MemoryStore
from llm_gateway.client.cache.redis import RedisStore
from llm_gateway.client.cache.sqlite import SQLiteStore
from llm_gateway.client.cache.store import CacheStore
from llm_gateway.config import GatewayConfig
from llm_gateway.exceptions import ConfigError
from llm_gateway.flow.steps import Call, Flow, Now

__all__ = ["Cache", "cache_for", "store_named"]

_log = logging.getLogger("llm_gateway.cache")
_REST_S = 10.0
_FILE = "sqlite:///"
_LOOKS_LIKE_A_PATH = re.compile(r"[./\\]")


def cache_for(config: GatewayConfig, given: CacheStore | Literal[False] | None) -> Cache | None:
    """
    Return the cache of a client: on the store that is *given*, else on the one of the settings; None without either.

    Raises:
        ConfigError: The setting names no store.
    """
    if given is False or (given is None and not config.cache):
        return None
    return Cache(
        store_named(config.cache or "") if given is None else given,
        ttl_s=config.cache_ttl_s,
        tenant=config.cache_tenant,
        with_tool_calls=config.cache_tool_calls,
        is_own=given is None,
    )


@dataclass
class Cache:
    """
    A response cache on *store*; *is_own* closes the store with the client.

    A store that fails is not used for ten seconds, and no call fails for it.
    """

    store: CacheStore
    ttl_s: float
    tenant: str | None = None
    with_tool_calls: bool = False
    is_own: bool = False
    _rests_until: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, key: str) -> Flow:
        """Return the `Entry` of *key*; None when there is none that may be used."""
        value: bytes | None = yield from self._do(lambda: self.store.get(key))
        if value is None:
            return None
        entry = decode(value)
        if entry is None:
            _log.warning("an answer in the cache cannot be read, so it is requested again")
        return entry if entry and is_cacheable(entry.reply, with_tool_calls=self.with_tool_calls) else None

    def keep(self, key: str, entry: Entry) -> Flow:
        """Keep *entry*, if it is cacheable."""
        if is_cacheable(entry.reply, with_tool_calls=self.with_tool_calls):
            yield from self._do(lambda: self.store.put(key, encode(entry), self.ttl_s))

    def close(self) -> None:
        """Close the store, if it is the client's own."""
        if self.is_own:
            with contextlib.suppress(Exception):  # a store that fails to close is no reason to fail
                self.store.close()

    def _do(self, function: Callable[[], Any]) -> Flow:
        now: float = yield Now()
        if not self._may_try(now):
            return None
        try:
            # Only memory never blocks; a step in another thread costs more than all that it does.
            value = function() if isinstance(self.store, MemoryStore) else (yield Call(function))
        except Exception as error:  # noqa: BLE001  whatever a store does, the call goes on
            self._failed(error, now)
            return None
        self._worked()
        return value

    def _may_try(self, now: float) -> bool:
        with self._lock:
            if self._rests_until is None:
                return True
            if now < self._rests_until:
                return False
            self._rests_until = now + _REST_S  # one call tries it, not all that come now
            return True

    def _failed(self, error: Exception, now: float) -> None:
        with self._lock:
            is_change, self._rests_until = self._rests_until is None, now + _REST_S
        if is_change:
            _log.warning("the cache does not work, calls go on without it: %s: %s", type(error).__name__, error)

    def _worked(self) -> None:
        with self._lock:
            is_change, self._rests_until = self._rests_until is not None, None
        if is_change:
            _log.warning("the cache works again")


def store_named(named: str) -> CacheStore:
    """
    Return the store for *named*: ``memory``, ``sqlite:///`` and a path, an address of a Redis, or a path.

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
        _raise_unknown_store(f"{scheme}://..." if rest else named)
    return SQLiteStore(Path(path).expanduser())


def _raise_unknown_store(shown: str) -> NoReturn:
    """Raise for an unknown store; of an address *shown* holds the scheme alone, as the rest may be a password."""
    raise ConfigError(
        f"LLM_CACHE = {shown!r} is no cache",
        cause="it is neither memory, nor a path, nor an address of a known kind",
        fix="export LLM_CACHE=memory, or ./answers.sqlite, sqlite:///answers.sqlite, redis://localhost:6379/0",
    )

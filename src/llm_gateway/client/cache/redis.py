"""A store in a Redis server, for many machines; needs the extra ``redis``."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from llm_gateway.exceptions import ConfigError

__all__ = ["RedisStore"]

_WAIT_S = 0.1  # a cache that is slower than that is no help


class RedisStore:
    """
    Values in the Redis at *url* (``redis://``, ``rediss://`` or ``unix://``), which drops them when their time is over.

    Connecting and each answer may take 100 ms, unless *url* sets others (``?socket_timeout=1``). How much is kept
    is the server's to bound: ``maxmemory`` with ``maxmemory-policy allkeys-lru``.

    Args:
        url: Where it is, with user and password where it wants them.

        prefix: In front of each key.

    Raises:
        ConfigError: *url* is no address, or the package ``redis`` is not installed; names the command.
    """

    def __init__(self, url: str, *, prefix: str = "llm-gateway:answer:") -> None:
        self._prefix = prefix
        self._client = _client(url)

    def get(self, key: str) -> bytes | None:
        """Return the value of *key*; None where there is none or it has expired."""
        found: bytes | None = self._client.get(self._prefix + key)
        return found

    def put(self, key: str, value: bytes, ttl_s: float) -> None:
        """Keep *value* for *ttl_s* seconds."""
        self._client.set(self._prefix + key, value, px=max(1, round(ttl_s * 1000)))

    def close(self) -> None:
        """Close the connections; the next use opens new ones."""
        self._client.close()


def _client(url: str) -> Any:
    try:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError as error:
        raise ConfigError(
            "a cache in Redis needs the package redis",
            cause=str(error),
            fix="pip install 'pytest-llm-gateway[redis]'",
        ) from None
    once = Retry(NoBackoff(), 0)
    try:
        return Redis.from_url(url, socket_timeout=_WAIT_S, socket_connect_timeout=_WAIT_S, retry=once)
    except ValueError as error:
        raise ConfigError(
            f"no address of a Redis: {urlsplit(url).scheme}://...",
            cause=str(error),
            fix="export LLM_CACHE=redis://localhost:6379/0",
        ) from None

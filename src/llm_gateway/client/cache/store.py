"""The protocol of a cache store."""

from __future__ import annotations

from typing import Protocol

__all__ = ["CacheStore"]


class CacheStore(Protocol):
    """
    A store that keeps values by key for a while. Hand one to several clients to share it, and close it yourself.

    It is called from any thread, by several at once. An exception is logged, and the call goes on without the cache.
    """

    def get(self, key: str) -> bytes | None:
        """Return the value of *key*, or None when there is none or its time is over."""
        ...

    def put(self, key: str, value: bytes, ttl_s: float) -> None:
        """Keep *value* for *ttl_s* seconds, replacing an older one; a full store may drop any value."""
        ...

    def close(self) -> None:
        """Close connections and files; values of a persistent store stay."""
        ...

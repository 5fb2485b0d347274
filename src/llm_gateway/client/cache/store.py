"""What a store of answers is to the client."""

from __future__ import annotations

from typing import Protocol

__all__ = ["CacheStore"]


class CacheStore(Protocol):
    """
    Keeps values by key for a while. Hand one to several clients to share it; whoever made it closes it.

    It is called from any thread, by several at once. What it raises is logged, and the call goes on without it.
    """

    def get(self, key: str) -> bytes | None:
        """The value of *key*, or None when there is none or its time is over."""
        ...

    def put(self, key: str, value: bytes, ttl_s: float) -> None:
        """Keep *value* for *ttl_s* seconds, in place of an older one; a store that is full drops what it likes."""
        ...

    def close(self) -> None:
        """Give back what the store holds open; kept values stay where they outlive a process."""
        ...

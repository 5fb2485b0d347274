"""A cache store in the memory of the process."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["MemoryStore"]


class MemoryStore:
    """
    Values in memory; the least recently used go first when it is full.

    Args:
        max_bytes: The most that all values have together; a larger one is not kept.

        clock: Returns seconds that never go back.
    """

    def __init__(self, *, max_bytes: int = 64 * 1024**2, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._bytes = 0

    def get(self, key: str) -> bytes | None:
        """Return the value of *key*, or None when there is none or its time is over."""
        with self._lock:
            if key not in self._kept:
                return None
            ends, value = self._kept[key]
            if ends <= self._clock():
                self._drop(key)
                return None
            self._kept.move_to_end(key)
            return value

    def put(self, key: str, value: bytes, ttl_s: float) -> None:
        """Keep *value* for *ttl_s* seconds."""
        with self._lock:
            self._drop(key)
            if len(value) > self._max_bytes:
                return
            self._kept[key] = (self._clock() + ttl_s, value)
            self._bytes += len(value)
            while self._bytes > self._max_bytes:
                self._drop(next(iter(self._kept)))

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def _drop(self, key: str) -> None:
        _, value = self._kept.pop(key, (0.0, b""))
        self._bytes -= len(value)

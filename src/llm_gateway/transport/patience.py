"""
Reads of a connection wait no longer than what is left of the step that they are for.

httpx2 has one limit for every read of a reply. A stream has one until its first content and another one afterwards, and
a reply that trickles in is never late by that one limit. So the connections of a client look up here how long to wait.
"""

from __future__ import annotations

import contextvars
import time
from typing import Any

__all__ = ["Until", "limit_reads"]

_until: contextvars.ContextVar[float] = contextvars.ContextVar("until", default=float("inf"))
_LEAST_S = 1e-6  # a socket takes 0 for "do not wait at all", which is no timeout


class Until:
    """Lets no read in here wait past *moment*, in seconds of `time.monotonic`."""

    __slots__ = ("_moment", "_token")

    def __init__(self, moment: float) -> None:
        self._moment = moment

    def __enter__(self) -> None:
        self._token = _until.set(self._moment)

    def __exit__(self, *error: object) -> None:
        _until.reset(self._token)


def _left(timeout_s: float | None) -> float | None:
    moment = _until.get()
    if moment == float("inf"):
        return timeout_s
    left = max(moment - time.monotonic(), _LEAST_S)
    return left if timeout_s is None else min(left, timeout_s)


def limit_reads(client: Any) -> None:
    """Let the connections that *client*, of httpx2 or httpx, makes from now on look here, those of proxies included."""
    # Neither has an argument for it. What has no pool, as a transport of someone else's, keeps its own limits.
    for transport in (getattr(client, "_transport", None), *getattr(client, "_mounts", {}).values()):
        pool = getattr(transport, "_pool", None)
        backend = getattr(pool, "_network_backend", None)
        if backend is not None and not isinstance(backend, _Backend):
            pool._network_backend = _Backend(backend)  # type: ignore[union-attr]  # noqa: SLF001


class _Backend:
    """Makes connections as *backend* does, for either colour."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def connect_tcp(self, *args: Any, **kwargs: Any) -> Any:
        made = self._backend.connect_tcp(*args, **kwargs)
        return _awaited(made) if hasattr(made, "__await__") else _Stream(made)


async def _awaited(made: Any) -> Any:
    return _Stream(await made)


class _Stream:
    """Reads as *stream* does, and never for too long."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def read(self, max_bytes: int, timeout: float | None = None) -> Any:
        return self._stream.read(max_bytes, _left(timeout))

    def start_tls(self, *args: Any, **kwargs: Any) -> Any:
        made = self._stream.start_tls(*args, **kwargs)
        return _awaited(made) if hasattr(made, "__await__") else _Stream(made)

"""
Deadlines for the reads of a reply, which travel with the request as its read timeout.

httpx has one timeout for every read of a reply. A stream has one until its first content and another one afterwards,
and a reply that trickles in never passes a timeout of single reads. So the read timeout of a request is a `Deadline`,
which the connections of a client ask before each read how long it may wait.
"""

from __future__ import annotations

import time
from typing import Any, Self

from llm_gateway.exceptions import ConfigError

__all__ = ["Deadline", "limit_reads"]

_LEAST_S = 1e-6  # a socket takes 0 for "do not wait at all", which is no timeout
_POOLED = ("HTTPTransport", "AsyncHTTPTransport")


class Deadline(float):
    """
    A read timeout in seconds, as a float for code that knows no deadlines, with the time at which reads must end.

    Args:
        timeout_s: The seconds that one read may take; None for no limit of its own.

        end: In seconds of `time.monotonic`; it may be moved while the reply is read.
    """

    end: float

    def __new__(cls, timeout_s: float | None, end: float) -> Self:
        """Make the float: the seconds until *end* where *timeout_s* is None."""
        made = super().__new__(cls, end - time.monotonic() if timeout_s is None else timeout_s)
        made._timeout_s = timeout_s
        made.end = end
        return made

    _timeout_s: float | None

    def left_s(self) -> float:
        """Return the seconds that a read which begins now may take, at least the least that is a timeout."""
        left = max(self.end - time.monotonic(), _LEAST_S)
        return left if self._timeout_s is None else min(left, self._timeout_s)

    def __str__(self) -> str:
        return str(float(self) if self._timeout_s is None else self._timeout_s)


def limit_reads(client: Any) -> None:
    """
    Let the connections that *client*, of httpx2 or httpx, makes from now on obey deadlines, those of proxies included.

    Neither library has an argument for it. Transports of other origin, which have no pool, keep their own timeouts.

    Raises:
        ConfigError: This release of the library keeps its pool elsewhere: a stream could hang for longer than allowed.
    """
    if client is None:
        return
    for transport in (client._transport, *client._mounts.values()):  # noqa: SLF001
        if not any(one.__name__ in _POOLED for one in type(transport).__mro__):
            continue
        pool = getattr(transport, "_pool", None)
        backend = getattr(pool, "_network_backend", None)
        if pool is None or backend is None:
            raise _no_pool(transport)
        if not isinstance(backend, _Backend):
            pool._network_backend = _Backend(backend)  # noqa: SLF001


def _no_pool(transport: object) -> ConfigError:
    library = type(transport).__module__.partition(".")[0]
    return ConfigError(
        f"timeouts of streams cannot be kept with this release of {library}",
        cause=f"{type(transport).__name__} has no _pool._network_backend, where its connections are made",
        fix=f"install an older release of {library}, and report this one",
    )


class _Backend:
    """A network backend that makes connections as *backend* does, sync or async, whose reads obey deadlines."""

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
    """A connection that reads as *stream* does, and never past the deadline of the request."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def read(self, max_bytes: int, timeout: float | None = None) -> Any:
        return self._stream.read(max_bytes, timeout.left_s() if isinstance(timeout, Deadline) else timeout)

    def start_tls(self, *args: Any, **kwargs: Any) -> Any:
        made = self._stream.start_tls(*args, **kwargs)
        return _awaited(made) if hasattr(made, "__await__") else _Stream(made)

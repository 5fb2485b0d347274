"""
Circuit breakers: a provider that fails repeatedly is not called for a while.

::

    closed --(failures in a row)--> open --(pause is over)--> half open --(one attempt answered)--> closed
                                     ^                            |
                                     +-----(it failed too)--------+

Time is an argument. Only failures of the provider count; a rejected key, a wrong request or a rate limit shows that it
is up.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Literal

from llm_gateway.exceptions import CircuitOpenError, ErrorKind, ProviderError

__all__ = ["Breaker", "Breakers"]

_COUNTED: frozenset[ErrorKind] = frozenset({"server", "overloaded", "timeout", "connection"})


@dataclass
class Breaker:
    """
    The circuit breaker of one address.

    Attributes:
        most: Failures in a row that open it.

        pause_s: How long it stays open, and how long the attempt that tries it again may take before another one does.
    """

    most: int
    pause_s: float
    _failures: int = 0
    _shut_until: float | None = None
    _last: ProviderError | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def state(self, now: float) -> Literal["closed", "open", "half_open"]:
        """Return the state at *now*, in seconds of a monotonic clock."""
        if self._shut_until is None:
            return "closed"
        return "open" if now < self._shut_until else "half_open"

    def admit(self, provider: str, now: float) -> None:
        """
        Let an attempt through; after the pause, only one at a time.

        Raises:
            CircuitOpenError: The circuit is open, or another attempt is trying it.
        """
        with self._lock:
            state = self.state(now)
            if state == "open":
                assert self._shut_until is not None  # as it is open
                assert self._last is not None
                raise CircuitOpenError(provider, self._failures, self._shut_until - now, self._last)
            if state == "half_open":
                self._shut_until = now + self.pause_s  # for all but the one that goes now

    def answered(self) -> None:
        """Close the circuit: the provider answered."""
        with self._lock:
            self._failures, self._shut_until, self._last = 0, None, None

    def failed(self, error: ProviderError, now: float) -> None:
        """Count a failed attempt, and open the circuit when there were enough in a row."""
        if error.kind not in _COUNTED:
            return self.answered()
        with self._lock:
            self._failures, self._last = self._failures + 1, error
            if self._failures >= self.most:
                self._shut_until = now + self.pause_s
        return None


class Breakers:
    """The circuit breakers of a client, one for each address; none where *most* is None."""

    def __init__(self, most: int | None, pause_s: float) -> None:
        self._most = most
        self._pause_s = pause_s
        self._of: dict[tuple[str, str], Breaker] = {}

    def of(self, provider: str, address: str) -> Breaker | None:
        """Return the circuit breaker of *address*, which *provider* calls; None where breakers are off."""
        if self._most is None:
            return None
        return self._of.setdefault((provider, address), Breaker(self._most, self._pause_s))

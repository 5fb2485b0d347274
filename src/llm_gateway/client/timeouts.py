"""Timeouts of a call: the settings, and the limit that they set on each step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from llm_gateway.config import GatewayConfig
from llm_gateway.flow.timeout import Timeout

__all__ = ["Timeouts"]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """
    The timeout settings of a call, in seconds; None takes *timeout_s*, and for the whole call no limit.

    A stream may last longer than *timeout_s* while chunks arrive: a long answer is not a late one.
    """

    timeout_s: float = 60.0
    first_token_timeout_s: float | None = None
    idle_timeout_s: float | None = None
    total_timeout_s: float | None = None

    @classmethod
    def of(cls, config: GatewayConfig, options: Mapping[str, Any]) -> Self:
        """Return the timeouts of the call's *options*, else those of *config*."""
        return cls(
            options.get("timeout_s") or config.timeout_s,
            config.first_token_timeout_s,
            config.idle_timeout_s,
            options.get("total_timeout_s") or config.total_timeout_s,
        )

    def whole(self, began: float, called: float) -> tuple[Timeout, ...]:
        """Return the limits of an attempt that *began* then, of a call that was *called* then."""
        return (Timeout("attempt", "timeout_s", self.timeout_s, began + self.timeout_s), *self._total(called))

    def first(self, began: float, called: float) -> tuple[Timeout, ...]:
        """Return the limits of a stream up to its first content, however many chunks came before."""
        setting, seconds = self._or_default("first_token_timeout_s", self.first_token_timeout_s)
        return (Timeout("first_token", setting, seconds, began + seconds), *self._total(called))

    def between(self, called: float) -> tuple[Timeout, ...]:
        """Return the limits on each further chunk of a stream."""
        setting, seconds = self._or_default("idle_timeout_s", self.idle_timeout_s)
        return (Timeout("idle", setting, seconds), *self._total(called))

    def _or_default(self, setting: str, seconds: float | None) -> tuple[str, float]:
        return ("timeout_s", self.timeout_s) if seconds is None else (setting, seconds)

    def _total(self, called: float) -> tuple[Timeout, ...]:
        if self.total_timeout_s is None:
            return ()
        return (Timeout("total", "total_timeout_s", self.total_timeout_s, called + self.total_timeout_s),)

"""Observers of a client's calls: those that are handed in, and those that settings enable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llm_gateway.config import GatewayConfig
from llm_gateway.observability.events import Observer
from llm_gateway.observability.observers import Observers

__all__ = ["build_observers"]


def build_observers(config: GatewayConfig, given: Sequence[Observer]) -> Observers | None:
    """Return the *given* observers and those of *config*, or None where there are none."""
    observers = (*given, *_configured(config))
    return Observers(observers) if observers else None


def _configured(config: GatewayConfig) -> Iterator[Observer]:
    """Yield the observers of the settings; each is imported only where it is enabled."""
    if config.log != "off":
        from llm_gateway.observability.logging import configured as configured_logging

        yield configured_logging(config.log)
    if config.tracing is not None:
        from llm_gateway.observability.tracing import configured as configured_tracing

        yield configured_tracing(config.tracing, capture_content=config.capture_content)
    if config.metrics is not None:
        from llm_gateway.observability.metrics import configured as configured_metrics

        yield configured_metrics(config.metrics)

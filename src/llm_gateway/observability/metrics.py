"""
Metrics by OpenTelemetry's GenAI conventions: durations, tokens, time to the first chunk of streams, and cost.

An unknown cost is in no sum; such calls are counted as ``llm_gateway.client.unpriced_calls``.
"""

from __future__ import annotations

import functools
from typing import Any

from llm_gateway.observability.events import CallEnded, Event
from llm_gateway.observability.opentelemetry import SCOPE, Export, ended_attributes, load, started_attributes

__all__ = ["Metrics"]

_SECONDS = [0.01 * 2**power for power in range(14)]
_TOKENS = [4**power for power in range(14)]


class Metrics:
    """
    An observer that measures calls; it has no effect unless an OpenTelemetry SDK is set up.

    Args:
        meter_provider: Receives the measurements; None is OpenTelemetry's global one.

    Raises:
        ConfigError: OpenTelemetry is not installed.
    """

    def __init__(self, meter_provider: Any = None) -> None:
        meter = load("opentelemetry.metrics").get_meter(SCOPE, meter_provider=meter_provider)
        histogram = functools.partial(_histogram, meter)
        self._duration = histogram("gen_ai.client.operation.duration", "s", "How long calls took", _SECONDS)
        self._first = histogram("gen_ai.client.operation.time_to_first_chunk", "s", "How long streams began", _SECONDS)
        self._tokens = histogram("gen_ai.client.token.usage", "{token}", "Tokens of calls", _TOKENS)
        self._cost = meter.create_counter("llm_gateway.client.cost", "USD", "What calls cost")
        self._unpriced = meter.create_counter("llm_gateway.client.unpriced_calls", "{call}", "Calls of unknown cost")

    def observe(self, event: Event) -> None:
        """Measure *event* if it is the end of a call."""
        if not isinstance(event, CallEnded):
            return
        attributes = started_attributes(event.started) | ended_attributes(event)
        self._duration.record(event.duration_s, attributes)
        if event.first_content_s is not None:
            self._first.record(event.first_content_s, attributes)
        if event.cost_usd is None:
            self._unpriced.add(1, attributes)
        else:
            self._cost.add(float(event.cost_usd), attributes)
        if event.usage is not None:
            self._count(event.usage.input_tokens, attributes, "input")
            self._count(event.usage.output_tokens, attributes, "output")

    def _count(self, tokens: int | None, attributes: dict[str, Any], kind: str) -> None:
        if tokens is not None:
            self._tokens.record(tokens, {**attributes, "gen_ai.token.type": kind})


def _histogram(meter: Any, name: str, unit: str, description: str, bounds: list[float]) -> Any:
    return meter.create_histogram(name, unit, description, explicit_bucket_boundaries_advisory=bounds)


def configured(export: Export) -> Metrics:
    """Return the observer for ``LLM_METRICS``; a program that has set up OpenTelemetry keeps its own exporters."""
    _set_up(export)
    return Metrics()


@functools.cache
def _set_up(export: Export) -> None:
    """Set up the export, once in a process, unless the program has done so."""
    metrics, sdk = load("opentelemetry.metrics"), load("opentelemetry.sdk.metrics")
    if isinstance(metrics.get_meter_provider(), sdk.MeterProvider):
        return
    exports = load("opentelemetry.sdk.metrics.export")
    if export == "console":
        exporter = exports.ConsoleMetricExporter()
    else:
        exporter = load("opentelemetry.exporter.otlp.proto.http.metric_exporter").OTLPMetricExporter()
    metrics.set_meter_provider(sdk.MeterProvider([exports.PeriodicExportingMetricReader(exporter)]))

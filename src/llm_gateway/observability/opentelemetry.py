"""
Parts shared by spans and metrics: the import of OpenTelemetry, and the names of its GenAI conventions.

The names are our own constants, as those of OpenTelemetry's package are deprecated and its conventions still move.
"""

from __future__ import annotations

import importlib
from typing import Any, Literal, TypeAlias

from llm_gateway.catalog import find
from llm_gateway.exceptions import ConfigError
from llm_gateway.observability.events import AttemptStarted, CallEnded, CallStarted

__all__ = ["SCOPE", "Export", "ended_attributes", "load", "provider_of", "started_attributes", "target_attributes"]

Export: TypeAlias = Literal["console", "otlp"]
SCOPE = "llm_gateway"
"""Name of the instrumentation scope."""


def load(module: str) -> Any:
    """
    Import *module* of OpenTelemetry.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(
            "calls cannot be traced or measured by OpenTelemetry",
            cause=str(error),
            fix="pip install 'pytest-llm-gateway[otel]'",
        ) from None


def provider_of(name: str) -> str:
    """Return the conventions' word for provider *name*, or *name* itself where they have none."""
    return find(name).telemetry_name or name


def started_attributes(started: CallStarted) -> dict[str, Any]:
    """Return the attributes that are known when a call begins, for its span and for metrics."""
    return {
        "gen_ai.operation.name": "chat",
        **target_attributes(started),
    }


def target_attributes(started: CallStarted | AttemptStarted) -> dict[str, Any]:
    """Return provider, model and server address; unknown ones are left out."""
    attributes = {
        "gen_ai.provider.name": provider_of(started.provider),
        "gen_ai.request.model": started.model or None,
        "server.address": started.address,
        "server.port": started.port,
    }
    return {name: value for name, value in attributes.items() if value is not None}


def ended_attributes(ended: CallEnded) -> dict[str, Any]:
    """Return the attributes that are known when a call has ended: the model that answered, and the error."""
    found = {"gen_ai.provider.name": provider_of(ended.provider)}
    if ended.reply is not None:
        found["gen_ai.response.model"] = ended.model
    if ended.error is not None:
        found["error.type"] = ended.error
    return found

"""Record LLM calls once and replay them in tests for ever; and one client for the providers behind them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_gateway.cassettes.modes import Mode
    from llm_gateway.cassettes.session import use_cassette
    from llm_gateway.client.llm import LLMClient, SyncLLMClient
    from llm_gateway.client.own_models import register_model
    from llm_gateway.client.usage import usage_report
    from llm_gateway.config import GatewayConfig
    from llm_gateway.exceptions import GatewayError, ProviderError, StructuredOutputError
    from llm_gateway.fakes.provider import FakeLLMProvider
    from llm_gateway.registry import build_provider, list_providers, register_provider
    from llm_gateway.types import LLMMessage, LLMResponse, StreamDelta, TokenUsage, Tool, ToolCall
    from llm_gateway.wire.models import ModelInfo

__all__ = [
    "FakeLLMProvider",
    "GatewayConfig",
    "GatewayError",
    "LLMClient",
    "LLMMessage",
    "LLMResponse",
    "Mode",
    "ModelInfo",
    "ProviderError",
    "StreamDelta",
    "StructuredOutputError",
    "SyncLLMClient",
    "TokenUsage",
    "Tool",
    "ToolCall",
    "build_provider",
    "list_providers",
    "register_model",
    "register_provider",
    "usage_report",
    "use_cassette",
]
_WHERE = {
    "FakeLLMProvider": "fakes.provider",
    "GatewayConfig": "config",
    "GatewayError": "exceptions",
    "LLMClient": "client.llm",
    "LLMMessage": "types",
    "LLMResponse": "types",
    "Mode": "cassettes.modes",
    "ModelInfo": "wire.models",
    "ProviderError": "exceptions",
    "StreamDelta": "types",
    "StructuredOutputError": "exceptions",
    "SyncLLMClient": "client.llm",
    "TokenUsage": "types",
    "Tool": "types",
    "ToolCall": "types",
    "build_provider": "registry",
    "list_providers": "registry",
    "register_model": "client.own_models",
    "register_provider": "registry",
    "usage_report": "client.usage",
    "use_cassette": "cassettes.session",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__

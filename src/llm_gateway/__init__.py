"""Record LLM calls once and replay them in tests forever; and one client for the providers behind them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_gateway.cassettes.modes import Mode
    from llm_gateway.client.llm import LLMClient, SyncLLMClient
    from llm_gateway.client.models.registered import register_model
    from llm_gateway.client.usage import usage_report
    from llm_gateway.config import GatewayConfig
    from llm_gateway.exceptions import GatewayError, ProviderError, StructuredOutputError, UnsupportedParamWarning
    from llm_gateway.fakes.provider import FakeLLMProvider
    from llm_gateway.interception.use_cassette import use_cassette
    from llm_gateway.registry import build_provider, list_providers, register_provider
    from llm_gateway.types import (
        ImagePart,
        LLMMessage,
        LLMResponse,
        StreamDelta,
        TextPart,
        ThinkingPart,
        TokenUsage,
        Tool,
        ToolCall,
        ToolResult,
    )
    from llm_gateway.wire.models import ModelInfo

__all__ = [
    "FakeLLMProvider",
    "GatewayConfig",
    "GatewayError",
    "ImagePart",
    "LLMClient",
    "LLMMessage",
    "LLMResponse",
    "Mode",
    "ModelInfo",
    "ProviderError",
    "StreamDelta",
    "StructuredOutputError",
    "SyncLLMClient",
    "TextPart",
    "ThinkingPart",
    "TokenUsage",
    "Tool",
    "ToolCall",
    "ToolResult",
    "UnsupportedParamWarning",
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
    "ImagePart": "types",
    "LLMClient": "client.llm",
    "LLMMessage": "types",
    "LLMResponse": "types",
    "Mode": "cassettes.modes",
    "ModelInfo": "wire.models",
    "ProviderError": "exceptions",
    "StreamDelta": "types",
    "StructuredOutputError": "exceptions",
    "SyncLLMClient": "client.llm",
    "TextPart": "types",
    "ThinkingPart": "types",
    "TokenUsage": "types",
    "Tool": "types",
    "ToolCall": "types",
    "ToolResult": "types",
    "UnsupportedParamWarning": "exceptions",
    "build_provider": "registry",
    "list_providers": "registry",
    "register_model": "client.models.registered",
    "register_provider": "registry",
    "usage_report": "client.usage",
    "use_cassette": "interception.use_cassette",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__

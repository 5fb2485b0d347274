"""Providers by name."""

from __future__ import annotations

import difflib
import importlib
from typing import Any

from llm_gateway.exceptions import UnknownProviderError

__all__ = ["list_providers", "resolve"]

_COMPATIBLE = (
    "cerebras",
    "compatible",
    "deepseek",
    "fireworks",
    "groq",
    "mistral",
    "ollama",
    "openrouter",
    "together",
    "xai",
)
_BUILT_IN = {name: f"llm_gateway.providers.compatible:{name}" for name in _COMPATIBLE} | {
    "anthropic": "llm_gateway.providers.anthropic:provider",
    "azure": "llm_gateway.providers.azure:provider",
    "bedrock": "llm_gateway.providers.bedrock:provider",
    "cohere": "llm_gateway.providers.cohere:provider",
    "local_claude": "llm_gateway.providers.local_claude:provider",
    "openai": "llm_gateway.providers.openai:provider",
    "openai_responses": "llm_gateway.providers.openai:responses",
}


def list_providers() -> list[str]:
    """The names that are known, sorted."""
    return sorted(_BUILT_IN)


def resolve(name: str) -> Any:
    """
    The factory of provider *name*, called with a `GatewayConfig`.

    Raises:
        UnknownProviderError: Offers the nearest names, then lists all.
    """
    if name not in _BUILT_IN:
        near = difflib.get_close_matches(name, _BUILT_IN, n=2)
        raise UnknownProviderError(
            f"unknown provider {name!r}",
            cause=f"did you mean {' or '.join(map(repr, near))}?" if near else None,
            fix=f"known providers: {', '.join(list_providers())}",
        )
    where, _, function = _BUILT_IN[name].partition(":")
    return getattr(importlib.import_module(where), function)

"""Cohere's own chat."""

from __future__ import annotations

from llm_gateway.catalog import PROVIDERS
from llm_gateway.config import GatewayConfig
from llm_gateway.providers.auth import Key
from llm_gateway.providers.base import HttpProvider
from llm_gateway.wire import cohere
from llm_gateway.wire.model_lists import COHERE

__all__ = ["provider"]

_ENTRY = PROVIDERS["cohere"]


def provider(config: GatewayConfig) -> HttpProvider:
    """Build version 2 of the chat API."""
    return HttpProvider(
        name="cohere",
        dialect=cohere.DIALECT,
        base_url=config.url("cohere", _ENTRY.base_url),
        path="/v2/chat",
        auth=Key(config.key("cohere")),
        default_model=_ENTRY.default_model,
        models=COHERE,
    )

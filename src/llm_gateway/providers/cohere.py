"""Cohere's own chat."""

from __future__ import annotations

from llm_gateway.config import GatewayConfig
from llm_gateway.providers.auth import Key
from llm_gateway.providers.base import HttpProvider
from llm_gateway.wire import cohere
from llm_gateway.wire.model_lists import COHERE

__all__ = ["provider"]


def provider(config: GatewayConfig) -> HttpProvider:
    """Version 2 of the chat API."""
    return HttpProvider(
        name="cohere",
        dialect=cohere.DIALECT,
        base_url=config.url("cohere", "https://api.cohere.com"),
        path="/v2/chat",
        auth=Key(config.key("cohere")),
        default_model="command-r7b-12-2024",
        models=COHERE,
    )

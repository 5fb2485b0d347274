"""Gemini with a key of Google AI Studio."""

from __future__ import annotations

import dataclasses

from llm_gateway.catalog import PROVIDERS
from llm_gateway.config import GatewayConfig
from llm_gateway.providers.auth import Key
from llm_gateway.providers.base import HttpProvider
from llm_gateway.wire import count_tokens
from llm_gateway.wire.gemini import DIALECT
from llm_gateway.wire.model_lists import GEMINI

__all__ = ["provider"]

_ENTRY = PROVIDERS["gemini"]


def provider(config: GatewayConfig) -> HttpProvider:
    """
    Build Gemini at its own address.

    Raises:
        MissingKeyError: No key is set.
    """
    made = HttpProvider(
        name="gemini",
        dialect=DIALECT,
        base_url=config.url("gemini", _ENTRY.base_url),
        path="/models/{model}:generateContent",
        stream_path="/models/{model}:streamGenerateContent?alt=sse",
        auth=Key(config.key("gemini"), "x-goog-api-key", "{}"),
        default_model=_ENTRY.default_model,
        models=GEMINI,
    )
    counter = dataclasses.replace(made, dialect=count_tokens.GEMINI, path="/models/{model}:countTokens")
    return dataclasses.replace(made, counter=counter)

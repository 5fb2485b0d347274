"""Gemini with a key of Google AI Studio."""

from __future__ import annotations

import dataclasses

from llm_gateway.config import GatewayConfig
from llm_gateway.providers.auth import Key
from llm_gateway.providers.base import HttpProvider
from llm_gateway.wire import count_tokens
from llm_gateway.wire.gemini import DIALECT
from llm_gateway.wire.model_lists import GEMINI

__all__ = ["DEFAULT_MODEL", "provider"]

DEFAULT_MODEL = "gemini-3.1-flash-lite"


def provider(config: GatewayConfig) -> HttpProvider:
    """
    Gemini at its own address.

    Raises:
        MissingKeyError: No key is set.
    """
    made = HttpProvider(
        name="gemini",
        dialect=DIALECT,
        base_url=config.url("gemini", "https://generativelanguage.googleapis.com/v1beta"),
        path="/models/{model}:generateContent",
        stream_path="/models/{model}:streamGenerateContent?alt=sse",
        auth=Key(config.key("gemini"), "x-goog-api-key", "{}"),
        default_model=DEFAULT_MODEL,
        models=GEMINI,
    )
    counter = dataclasses.replace(made, dialect=count_tokens.GEMINI, path="/models/{model}:countTokens")
    return dataclasses.replace(made, counter=counter)

"""OpenAI's chat completions and responses."""

from __future__ import annotations

import dataclasses
from typing import Any

from llm_gateway.catalog import PROVIDERS
from llm_gateway.config import GatewayConfig
from llm_gateway.providers.auth import Key, NoAuth
from llm_gateway.providers.base import HttpProvider
from llm_gateway.wire import count_tokens, openai_chat, openai_responses
from llm_gateway.wire.base import Dialect
from llm_gateway.wire.model_lists import OPENAI

__all__ = ["provider", "responses"]

_ENTRY = PROVIDERS["openai"]


def provider(config: GatewayConfig, *, client: Any = None) -> HttpProvider:
    """Build chat completions, called directly or through *client*, an ``OpenAI`` or ``AsyncOpenAI`` of its SDK."""
    return _provider("openai", config, client, openai_chat.DIALECT, "/chat/completions")


def responses(config: GatewayConfig, *, client: Any = None) -> HttpProvider:
    """Build the Responses API; otherwise as `provider`. Its own section of a file wins over that of ``openai``."""
    return _provider("openai_responses", config, client, openai_responses.DIALECT, "/responses")


def _provider(section: str, config: GatewayConfig, client: Any, dialect: Dialect, path: str) -> HttpProvider:
    made = HttpProvider(
        name="openai",
        dialect=dialect,
        base_url=config.url(section, _ENTRY.base_url),
        path=path,
        auth=Key(config.key(section)) if client is None else NoAuth(),
        default_model=_ENTRY.default_model,
        client=client,
        models=OPENAI,
    )
    if client is not None or made.base_url != _ENTRY.base_url:
        return made  # others that speak the format do not count
    counter = dataclasses.replace(made, dialect=count_tokens.OPENAI, path="/responses/input_tokens")
    return dataclasses.replace(made, counter=counter)

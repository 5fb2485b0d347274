"""Hosts that speak OpenAI's chat completions, each by its entry in the catalogue."""

from __future__ import annotations

from typing import Any

from llm_gateway.catalog import PROVIDERS, ProviderEntry
from llm_gateway.config import GatewayConfig
from llm_gateway.providers.auth import Auth, Key, NoAuth
from llm_gateway.providers.base import HttpProvider
from llm_gateway.wire.model_lists import MISTRAL, OLLAMA, OPENAI, OPENROUTER, TOGETHER
from llm_gateway.wire.openai_chat import OpenAIChat

__all__ = ["provider"]

_MODEL_LISTS = {"mistral": MISTRAL, "ollama": OLLAMA, "openrouter": OPENROUTER, "together": TOGETHER}


def provider(name: str, config: GatewayConfig, *, client: Any = None) -> HttpProvider:
    """
    Build the host *name*, called directly or through *client*, an ``OpenAI`` or ``AsyncOpenAI`` that is set up for it.

    Raises:
        ConfigError: The host needs a key or an address, and none is set.
    """
    host = PROVIDERS[name]
    quirks = host.chat
    return HttpProvider(
        name=name,
        dialect=OpenAIChat(
            quirks.max_tokens_field,
            quirks.has_stream_options,
            quirks.seed_field,
            quirks.effort_as,
            quirks.reasoning_field,
        ),
        base_url=config.url(name, host.base_url),
        path="/chat/completions",
        auth=_auth(host, config) if client is None else NoAuth(),
        default_model=host.default_model,
        structured=("native", "tool", "prompt") if quirks.has_schemas else ("tool", "prompt"),
        client=client,
        models=_MODEL_LISTS.get(host.model_list, OPENAI),
    )


def _auth(host: ProviderEntry, config: GatewayConfig) -> Auth:
    key = config.key(host.name) if host.needs_key else config.key_if_set(host.name)
    return Key(key) if key else NoAuth()

"""Hosts that speak OpenAI's chat completions, one row each; what a host does in its own way stands in its row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from llm_gateway.config import GatewayConfig
from llm_gateway.providers.auth import Auth, Key, NoAuth
from llm_gateway.providers.base import HttpProvider
from llm_gateway.wire.model_lists import MISTRAL, OLLAMA, OPENAI, OPENROUTER, TOGETHER
from llm_gateway.wire.models import Listing
from llm_gateway.wire.openai_chat import OpenAIChat

__all__ = ["HOSTS", "Host", "provider"]


_USUAL = OpenAIChat(max_tokens_name="max_tokens")


@dataclass(frozen=True, slots=True)
class Host:
    """
    A host of chat completions.

    Attributes:
        base_url: Where its API starts; None where only the user knows.

        default_model: Used where the caller names none.

        needs_key: Whether it refuses calls without a key.

        dialect: Its way of speaking the format.

        has_schemas: Whether it takes JSON schemas for answers.

        models: Its way of listing its models.
    """

    base_url: str | None
    default_model: str
    needs_key: bool = True
    dialect: OpenAIChat = _USUAL
    has_schemas: bool = True
    models: Listing = OPENAI


_MISTRAL = OpenAIChat(max_tokens_name="max_tokens", asks_for_usage=False, seed_name="random_seed")
_DEEPSEEK = OpenAIChat(max_tokens_name="max_tokens", effort_as="thinking")
_OPENROUTER = OpenAIChat(max_tokens_name="max_tokens", effort_as="reasoning")

HOSTS = {
    "cerebras": Host("https://api.cerebras.ai/v1", "llama3.1-8b", dialect=OpenAIChat()),
    "compatible": Host(None, "", needs_key=False),
    "deepseek": Host("https://api.deepseek.com", "deepseek-chat", dialect=_DEEPSEEK, has_schemas=False),
    "fireworks": Host("https://api.fireworks.ai/inference/v1", "accounts/fireworks/models/gpt-oss-20b"),
    "groq": Host("https://api.groq.com/openai/v1", "llama-3.1-8b-instant", dialect=OpenAIChat()),
    "mistral": Host("https://api.mistral.ai/v1", "mistral-small-latest", dialect=_MISTRAL, models=MISTRAL),
    "ollama": Host("http://localhost:11434/v1", "llama3.2", needs_key=False, models=OLLAMA),
    "openrouter": Host("https://openrouter.ai/api/v1", "openai/gpt-5-mini", dialect=_OPENROUTER, models=OPENROUTER),
    "together": Host("https://api.together.ai/v1", "meta-llama/Llama-3.3-70B-Instruct-Turbo", models=TOGETHER),
    "xai": Host("https://api.x.ai/v1", "grok-4-fast"),
}


def provider(name: str, config: GatewayConfig, *, client: Any = None) -> HttpProvider:
    """
    The host *name*, directly or through *client*, an ``OpenAI`` or ``AsyncOpenAI`` that is set up for it.

    Raises:
        ConfigError: It needs a key or an address, and none is set.
    """
    host = HOSTS[name]
    return HttpProvider(
        name=name,
        dialect=host.dialect,
        base_url=config.url(name, host.base_url),
        path="/chat/completions",
        auth=_auth(name, host, config) if client is None else NoAuth(),
        default_model=host.default_model,
        structured=("native", "tool", "prompt") if host.has_schemas else ("tool", "prompt"),
        client=client,
        models=host.models,
    )


def _auth(name: str, host: Host, config: GatewayConfig) -> Auth:
    key = config.key(name) if host.needs_key else config.key_if_set(name)
    return Key(key) if key else NoAuth()


def __getattr__(name: str) -> Any:
    if name in HOSTS:
        return partial(provider, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Anthropic's own API."""

from __future__ import annotations

import dataclasses
from typing import Any

from llm_gateway.catalog import PROVIDERS
from llm_gateway.config import GatewayConfig
from llm_gateway.providers.auth import Key, NoAuth
from llm_gateway.providers.base import HttpProvider
from llm_gateway.wire import count_tokens
from llm_gateway.wire.anthropic import DIALECT
from llm_gateway.wire.model_lists import ANTHROPIC

__all__ = ["provider"]

_ENTRY = PROVIDERS["anthropic"]


def provider(config: GatewayConfig, *, client: Any = None) -> HttpProvider:
    """Build Anthropic at its own address, or through *client*, an ``Anthropic`` or ``AsyncAnthropic`` of its SDK."""
    made = HttpProvider(
        name="anthropic",
        dialect=DIALECT,
        base_url=config.url("anthropic", _ENTRY.base_url),
        path="/v1/messages",
        auth=Key(config.key("anthropic")) if client is None else NoAuth(),
        default_model=_ENTRY.default_model,
        headers=(("anthropic-version", "2026-10-21"),),
        client=client,
        models=ANTHROPIC,
    )
    counter = dataclasses.replace(made, dialect=count_tokens.ANTHROPIC, path="/v1/messages/count_tokens")
    return dataclasses.replace(made, counter=counter)

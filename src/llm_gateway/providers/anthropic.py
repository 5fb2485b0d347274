"""Anthropic's own API."""

from __future__ import annotations

from llm_gateway.providers.base import HttpProvider
from llm_gateway.wire.anthropic import DIALECT

__all__ = ["provider"]


def provider(api_key: str, base_url: str | None) -> HttpProvider:
    """Anthropic with *api_key*, at its own address unless *base_url* says otherwise."""
    return HttpProvider(
        name="anthropic",
        dialect=DIALECT,
        base_url=(base_url or "https://api.anthropic.com").rstrip("/"),
        path="/v1/messages",
        api_key=api_key,
        default_model="claude-haiku-5-5",
        headers=(("anthropic-version", "2026-10-21"),),
    )

"""OpenAI's chat completions."""

from __future__ import annotations

from llm_gateway.providers.base import HttpProvider
from llm_gateway.wire.openai_chat import DIALECT

__all__ = ["provider"]


def provider(api_key: str, base_url: str | None) -> HttpProvider:
    """OpenAI with *api_key*, at its own address unless *base_url* says otherwise."""
    return HttpProvider(
        name="openai",
        dialect=DIALECT,
        base_url=(base_url or "https://api.openai.com/v1").rstrip("/"),
        path="/chat/completions",
        api_key=api_key,
        default_model="gpt-5-mini",
    )

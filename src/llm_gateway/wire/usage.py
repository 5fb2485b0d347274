"""Token usage as each API reports it, in one shape: input with cached tokens, output with reasoning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llm_gateway.types import JsonObject, TokenUsage

__all__ = ["anthropic_usage", "chat_usage", "responses_usage"]


def number(raw: Any, *path: str) -> int | None:
    """The whole number at *path* inside *raw*, or None when nothing stands there."""
    for name in path:
        raw = raw.get(name) if isinstance(raw, dict) else None
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    try:
        return int(raw)
    except ValueError:
        return None


def _sum(*parts: int | None) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def anthropic_usage(raw: Any) -> TokenUsage | None:
    """``usage`` of the Messages API, whose own input count leaves cached tokens out."""
    if not isinstance(raw, dict):
        return None
    read, written = number(raw, "cache_read_input_tokens"), number(raw, "cache_creation_input_tokens")
    fresh = number(raw, "input_tokens")
    return TokenUsage(
        input_tokens=None if fresh is None else _sum(fresh, read, written),
        output_tokens=number(raw, "output_tokens"),
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=number(raw, "cache_creation", "ephemeral_1h_input_tokens"),
        reasoning_tokens=number(raw, "output_tokens_details", "thinking_tokens"),
    )


_CACHED_IN_CHAT = (
    ("prompt_tokens_details", "cached_tokens"),
    ("cached_tokens",),  # Together
    ("num_cached_tokens",),  # Mistral
    ("prompt_cache_hit_tokens",),  # DeepSeek
)


def chat_usage(raw: Any) -> TokenUsage | None:
    """``usage`` of chat completions and of the hosts that speak it."""
    if not isinstance(raw, dict):
        return None
    places = (number(raw, *path) for path in _CACHED_IN_CHAT)
    cached = next((count for count in places if count is not None), None)
    return TokenUsage(
        input_tokens=number(raw, "prompt_tokens"),
        output_tokens=number(raw, "completion_tokens"),
        cache_read_tokens=cached,
        cache_write_tokens=number(raw, "prompt_tokens_details", "cache_write_tokens"),
        reasoning_tokens=number(raw, "completion_tokens_details", "reasoning_tokens"),
    )


def responses_usage(raw: Any) -> TokenUsage | None:
    """``usage`` of the Responses API."""
    if not isinstance(raw, dict):
        return None
    return TokenUsage(
        input_tokens=number(raw, "input_tokens"),
        output_tokens=number(raw, "output_tokens"),
        cache_read_tokens=number(raw, "input_tokens_details", "cached_tokens"),
        cache_write_tokens=number(raw, "input_tokens_details", "cache_write_tokens"),
        reasoning_tokens=number(raw, "output_tokens_details", "reasoning_tokens"),
    )


READERS: dict[str, Callable[[JsonObject], TokenUsage | None]] = {
    "anthropic.messages": lambda body: anthropic_usage(body.get("usage")),
    "openai.chat": lambda body: chat_usage(body.get("usage")),
    "openai.responses": lambda body: responses_usage(body.get("usage")),
}
"""From a whole reply body to its usage, by API."""

"""Dialects by the name of their API."""

from __future__ import annotations

from llm_gateway.types import WireReply
from llm_gateway.wire import anthropic, bedrock, bedrock_invoke, cohere, gemini, ollama, openai_chat, openai_responses
from llm_gateway.wire.base import Dialect, ErrorFacts

__all__ = ["encode_error", "find_dialect"]

_DIALECTS: tuple[Dialect, ...] = (
    anthropic.DIALECT,
    bedrock.DIALECT,
    bedrock_invoke.DIALECT,
    cohere.DIALECT,
    gemini.DIALECT,
    ollama.DIALECT,
    openai_chat.DIALECT,
    openai_responses.DIALECT,
)


def find_dialect(api: str | None) -> Dialect | None:
    """Return the dialect of *api*, as in ``openai.chat``; None where there is none."""
    return next((dialect for dialect in _DIALECTS if dialect.name == api), None)


_FAMILIES: dict[str, Dialect] = {
    "anthropic": anthropic.DIALECT,
    "bedrock": bedrock.DIALECT,
    "cohere": cohere.DIALECT,
    "gemini": gemini.DIALECT,
    "ollama": ollama.DIALECT,
    "vertex": gemini.DIALECT,
}


def encode_error(api: str | None, status: int, facts: ErrorFacts) -> WireReply:
    """Write an error reply of any API; without a dialect, as OpenAI writes it, like most hosts."""
    family = (api or "").partition(".")[0]
    return _FAMILIES.get(family, openai_chat.DIALECT).encode_error(status, facts)

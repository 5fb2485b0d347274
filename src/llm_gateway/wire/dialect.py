"""Which dialect reads an API, by the API's name."""

from __future__ import annotations

from llm_gateway.wire import anthropic, bedrock, cohere, gemini, openai_chat, openai_responses
from llm_gateway.wire.base import Dialect

__all__ = ["dialect_of"]

_DIALECTS: tuple[Dialect, ...] = (
    anthropic.DIALECT,
    bedrock.DIALECT,
    cohere.DIALECT,
    gemini.DIALECT,
    openai_chat.DIALECT,
    openai_responses.DIALECT,
)


def dialect_of(api: str | None) -> Dialect | None:
    """The dialect of an API as in ``openai.chat``; None where there is none yet."""
    return next((dialect for dialect in _DIALECTS if dialect.name == api), None)

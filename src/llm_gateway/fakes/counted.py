"""What a fake says that a call used: as it was scripted, else counted, so that the numbers add up."""

from __future__ import annotations

import json

from llm_gateway.types import ChatReply, ChatRequest, TextPart, ThinkingPart, TokenUsage, ToolCall
from llm_gateway.wire.tokens import estimate_tokens

__all__ = ["counted"]

_CHARACTERS = 4


def counted(asked: ChatRequest, reply: ChatReply) -> TokenUsage:
    """The usage of *reply* to *asked*: estimates, the same for the same call."""
    thought = sum(_tokens(part.text) for part in reply.parts if isinstance(part, ThinkingPart))
    said = sum(_tokens(part.text) for part in reply.parts if isinstance(part, TextPart))
    called = sum(_tokens(json.dumps(part.arguments)) for part in reply.parts if isinstance(part, ToolCall))
    return TokenUsage(
        input_tokens=estimate_tokens(asked).tokens,
        output_tokens=thought + said + called,
        cache_read_tokens=0,
        cache_write_tokens=0,
        reasoning_tokens=thought,
    )


def _tokens(text: str) -> int:
    return -(-len(text) // _CHARACTERS)

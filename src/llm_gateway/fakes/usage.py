"""What a fake says that a call used: as it was scripted, else counted, so that the numbers add up."""

from __future__ import annotations

import json
from decimal import Decimal

from llm_gateway.exchange import HttpExchange, Metering
from llm_gateway.types import ChatReply, ChatRequest, TextPart, ThinkingPart, TokenUsage, ToolCall
from llm_gateway.wire.tokens import estimate_tokens

__all__ = ["estimate_text_tokens", "estimate_usage", "unbilled_record"]

_CHARACTERS = 4


def estimate_usage(asked: ChatRequest, reply: ChatReply) -> TokenUsage:
    """The usage of *reply* to *asked*: estimates, the same for the same call."""
    thought = sum(estimate_text_tokens(part.text) for part in reply.parts if isinstance(part, ThinkingPart))
    said = sum(estimate_text_tokens(part.text) for part in reply.parts if isinstance(part, TextPart))
    called = sum(estimate_text_tokens(json.dumps(part.arguments)) for part in reply.parts if isinstance(part, ToolCall))
    return TokenUsage(
        input_tokens=estimate_tokens(asked).tokens,
        output_tokens=thought + said + called,
        cache_read_tokens=0,
        cache_write_tokens=0,
        reasoning_tokens=thought,
    )


def estimate_text_tokens(text: str) -> int:
    """The tokens of a text, estimated by its length."""
    return -(-len(text) // _CHARACTERS)


def unbilled_record(exchange: HttpExchange, provider: str, api: str, model: str) -> Metering:
    """What *exchange*, in answer to a call of *model*, says to have used; it cost nothing."""
    from llm_gateway.cassettes.meter import metered  # whoever fakes a client's provider has no exchange

    told = metered(exchange)
    return Metering(
        provider=provider,
        api=api,
        model_requested=model or None,
        model_served=told.model_served,
        usage=told.usage,
        cost_usd=Decimal(0),
        price={"source": "fake"},
    )

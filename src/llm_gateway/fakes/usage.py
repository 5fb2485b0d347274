"""Token usage of scripted answers: estimated where a test scripts none, so that totals and budgets add up."""

from __future__ import annotations

import json
from decimal import Decimal

from llm_gateway.exchange import HttpExchange
from llm_gateway.record import CallRecord
from llm_gateway.types import ChatReply, ChatRequest, TextPart, ThinkingPart, TokenUsage, ToolCall
from llm_gateway.usage import scripted_usage
from llm_gateway.wire.tokens import estimate_tokens

__all__ = ["estimate_text_tokens", "estimate_usage", "unbilled_record"]

_CHARACTERS_PER_TOKEN = 4


def estimate_usage(request: ChatRequest, reply: ChatReply) -> TokenUsage:
    """Estimate the usage of *reply* to *request*; the same call has the same usage."""
    thinking = sum(estimate_text_tokens(part.text) for part in reply.parts if isinstance(part, ThinkingPart))
    text = sum(estimate_text_tokens(part.text) for part in reply.parts if isinstance(part, TextPart))
    calls = [json.dumps(part.arguments) for part in reply.parts if isinstance(part, ToolCall)]
    return scripted_usage(
        estimate_tokens(request).tokens,
        thinking + text + sum(map(estimate_text_tokens, calls)),
        reasoning=thinking,
    )


def estimate_text_tokens(text: str) -> int:
    """Estimate the number of tokens of *text* from its length."""
    return -(-len(text) // _CHARACTERS_PER_TOKEN)


def unbilled_record(exchange: HttpExchange, provider: str, api: str, model: str) -> CallRecord:
    """Return the usage that the scripted *exchange* reports for a call of *model*, at no cost."""
    from llm_gateway.cost.account import known_facts  # not at import: `FakeLLMProvider` has no exchanges

    reported = known_facts(exchange)
    return CallRecord(
        provider=provider,
        api=api,
        model_requested=model or None,
        model_served=reported.model_served,
        usage=reported.usage,
        cost_usd=Decimal(0),
        price={"source": "fake"},
    )

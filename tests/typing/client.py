"""Public calls of the client as users write them: their types are what the documentation says."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, assert_type

from pydantic import BaseModel

from llm_gateway import (
    GatewayConfig,
    LLMClient,
    LLMMessage,
    LLMResponse,
    StreamDelta,
    SyncLLMClient,
    TokenUsage,
    Tool,
    ToolCall,
    list_providers,
)
from llm_gateway.client.truncation import Block, keep_first_and_last
from llm_gateway.cost import CostTracker, Priced, price, register_pricing
from llm_gateway.wire.tokens import Estimate, estimate_tokens


class Answer(BaseModel):
    """Structured output."""

    text: str


class Mine:
    """A provider of one's own."""

    async def complete(self, messages: list[LLMMessage], response_model: type[Any] | None = None) -> LLMResponse[Any]:
        """Answer."""
        return LLMResponse(messages[-1].text, "mine", "model")

    async def close(self) -> None:
        """Nothing to close."""


def last_only(blocks: Sequence[Block], room: int) -> Sequence[Block]:
    """A strategy of one's own."""
    return [block for block in blocks[-1:] if block.tokens <= room]


def sync() -> None:
    """The sync client."""
    with SyncLLMClient(model="anthropic:claude-haiku-5-5") as llm:
        response = llm.chat("Hello", tools=[Tool("weigh", "Weigh", {"type": "object"})])
        assert_type(response, LLMResponse[str])
        assert_type(response.content, str)
        assert_type(response.tool_calls, tuple[ToolCall, ...])
        assert_type(llm.complete("Hello", response_model=Answer).content, Answer)
        stream = llm.stream("Hello")
        for delta in stream:
            assert_type(delta, StreamDelta)
        assert_type(stream.response, LLMResponse[str] | None)
        assert_type(llm.count_tokens("Hello", system="Be brief."), Estimate)
        llm.chat("Hello", max_context_tokens=8_000, context_strategy=keep_first_and_last)
        llm.chat("Hello", context_strategy=last_only)
        assert_type(response.truncated, int)
        assert_type(llm.total_cost_usd, Decimal | None)
        assert_type(llm.total_tokens, int | None)
        assert_type(llm.call_count, int)
        assert_type(response.usage, TokenUsage | None)


async def asynchronous() -> None:
    """The async client, with settings and with a provider of one's own."""
    async with LLMClient(GatewayConfig(provider="openai")) as llm:
        assert_type(await llm.chat("Hello"), LLMResponse[str])
        assert_type(await llm.count_tokens("Hello"), Estimate)
        assert_type((await llm.complete("Hello", response_model=Answer)).content, Answer)
        async for delta in llm.stream("Hello"):
            assert_type(delta.text, str)
    async with LLMClient(provider_instance=Mine()) as llm:
        await llm.chat("Hello")


assert_type(list_providers(), list[str])
assert_type(estimate_tokens([LLMMessage("user", ())], "gpt-5-mini").tokens, int)


def costs() -> None:
    """What calls cost."""
    register_pricing("acme:one", input=1, output="2.5", cache_read=Decimal("0.1"))
    tracker = CostTracker(limit_usd=Decimal(1), warn_usd=Decimal("0.5"))
    with SyncLLMClient(cost_tracker=tracker) as llm:
        assert_type(llm.cost_tracker.total_cost_usd, Decimal | None)
    assert_type(price("openai", "gpt-5-mini", TokenUsage(1, 2), at=datetime.now(UTC)), Priced | None)
    tracker.reset()

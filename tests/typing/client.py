"""Public calls of the client as users write them: their types are what the documentation says."""

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
from llm_gateway.cost import CostTracker, Priced, price, register_pricing
from llm_gateway.observability.events import CallEnded, Event, Observer
from llm_gateway.observability.logging import Logging
from llm_gateway.observability.metrics import Metrics
from llm_gateway.observability.tracing import Tracing


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
        assert_type(llm.total_cost_usd, Decimal | None)
        assert_type(llm.total_tokens, int | None)
        assert_type(llm.call_count, int)
        assert_type(response.usage, TokenUsage | None)


async def asynchronous() -> None:
    """The async client, with settings and with a provider of one's own."""
    async with LLMClient(GatewayConfig(provider="openai")) as llm:
        assert_type(await llm.chat("Hello"), LLMResponse[str])
        assert_type((await llm.complete("Hello", response_model=Answer)).content, Answer)
        async for delta in llm.stream("Hello"):
            assert_type(delta.text, str)
    async with LLMClient(provider_instance=Mine()) as llm:
        await llm.chat("Hello")


assert_type(list_providers(), list[str])


class Counting:
    """An observer of one's own."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def observe(self, event: Event) -> None:
        """Add up."""
        if isinstance(event, CallEnded):
            assert_type(event.usage, TokenUsage | None)
            assert_type(event.cost_usd, Decimal | None)
            self.seconds += event.duration_s


async def observed() -> None:
    """Observers and sessions."""
    observers: list[Observer] = [Logging("json"), Tracing(capture_content=True), Metrics(), Counting()]
    async with LLMClient(observers=observers, session_id="a") as llm:
        await llm.chat("Hello", session_id="b")
        assert_type(llm.get_session_cost("b"), Decimal | None)
        assert_type(llm.with_options(model="groq:llama3", session_id="c"), LLMClient)
    assert_type(SyncLLMClient().with_options(provider="openai"), SyncLLMClient)


def costs() -> None:
    """What calls cost."""
    register_pricing("acme:one", input=1, output="2.5", cache_read=Decimal("0.1"))
    tracker = CostTracker(limit_usd=Decimal(1), warn_usd=Decimal("0.5"))
    with SyncLLMClient(cost_tracker=tracker) as llm:
        assert_type(llm.cost_tracker.total_cost_usd, Decimal | None)
    assert_type(price("openai", "gpt-5-mini", TokenUsage(1, 2), at=datetime.now(UTC)), Priced | None)
    tracker.reset()

"""Public calls of the client as users write them: their types are what the documentation says."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, assert_type

from pydantic import BaseModel, SecretStr

from llm_gateway import (
    FakeLLMProvider,
    GatewayConfig,
    GatewayError,
    ImagePart,
    LLMClient,
    LLMMessage,
    LLMResponse,
    ModelInfo,
    ProviderError,
    StreamDelta,
    StructuredOutputError,
    SyncLLMClient,
    TextPart,
    ThinkingPart,
    TokenUsage,
    Tool,
    ToolCall,
    ToolResult,
    UnsupportedParamWarning,
    build_provider,
    list_providers,
    register_model,
    register_provider,
    usage_report,
)
from llm_gateway.client.cache import CacheStore, MemoryStore, RedisStore, SQLiteStore
from llm_gateway.client.truncation import Block, keep_first_and_last
from llm_gateway.config import ProviderConfig
from llm_gateway.cost import CostTracker, Priced, price, register_pricing
from llm_gateway.cost.ledger import Entry, Ledger, open_ledger
from llm_gateway.cost.ledger.report import UsageRow
from llm_gateway.exceptions import CircuitOpenError, ErrorKind
from llm_gateway.observability.events import CallEnded, Event, Observer
from llm_gateway.observability.logging import Logging
from llm_gateway.observability.metrics import Metrics
from llm_gateway.observability.tracing import Tracing
from llm_gateway.providers.base import CustomProvider, HttpProvider, ProcessProvider
from llm_gateway.types import Attempt
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


class SetUp(Mine):
    """One that is given the settings when it is made by name."""

    def __init__(self, config: GatewayConfig) -> None:
        self.timeout_s = config.timeout_s


class Wider(Mine):
    """One that takes more than it has to."""

    async def complete(
        self,
        messages: list[LLMMessage],
        response_model: type[Any] | None = None,
        *,
        tools: Sequence[Tool] = (),
        **options: Any,
    ) -> LLMResponse[Any]:
        """Answer."""
        return LLMResponse(f"{len(tools)} {sorted(options)}", "mine", "model")


def last_only(blocks: Sequence[Block], room: int) -> Sequence[Block]:
    """A strategy of one's own."""
    return [block for block in blocks[-1:] if block.tokens <= room]


def kinds(wrong: GatewayError, refused: ProviderError, shut: CircuitOpenError) -> None:
    """What to branch on."""
    assert_type(wrong.kind, ErrorKind | None)
    assert_type(wrong.is_retryable, bool)
    assert_type(refused.kind, ErrorKind)
    assert_type(shut.failures, int)


def in_time() -> None:
    """Limits of a client and of a call."""
    config = GatewayConfig(first_token_timeout_s=5, idle_timeout_s=5, circuit_failures=5)
    assert_type(SyncLLMClient(config).chat("hi", timeout_s=9, total_timeout_s=20.5), LLMResponse[str])


def sync() -> None:
    """The sync client."""
    with SyncLLMClient(model="anthropic:claude-haiku-5-5") as llm:
        response = llm.chat("Hello", tools=[Tool("weigh", "Weigh", {"type": "object"})])
        assert_type(response, LLMResponse[str])
        assert_type(response.content, str)
        assert_type(response.tool_calls, tuple[ToolCall, ...])
        assert_type(llm.complete("Hello", response_model=Answer).content, Answer)
        llm.chat("Hello", top_p=0.9, seed=7, reasoning_effort="low", json_mode=True, unsupported_params="warn")
        llm.complete("Hello", response_model=Answer, seed=7, reasoning_effort=None)
        llm.chat([LLMMessage.system("Be brief."), LLMMessage.user("Weigh it", ImagePart(url="https://x"))])
        llm.chat([LLMMessage.assistant(ToolCall("c", "weigh", {})), LLMMessage.tool("c", "1 kg", is_error=False)])
        llm.chat("Hello", tools=[{"name": "weigh", "description": "Weigh", "parameters": {}}], tool_choice="required")
        llm.chat("Hello", temperature=0, max_tokens=9, stop=["END"], extra={"service_tier": "flex"}, timeout_s=1)
        llm.chat({"role": "user", "content": "Hello"}, stop="END", model=None, total_timeout_s=9.5)
        llm.chat(["Hello", {"role": "system", "content": "Be brief."}, LLMMessage.user("Hello"), response.to_message()])
        assert_type(response.attempts, tuple[Attempt, ...])
        assert_type(response.dropped_params, tuple[str, ...])
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
        assert_type(llm.cost_summary(), dict[str, dict[str, Any]])
        assert_type(response.usage, TokenUsage | None)
        assert_type(llm.refresh_models(), list[ModelInfo])
        assert_type(llm.get_available_models("groq", include_deprecated=True), list[ModelInfo])
        assert_type(llm.validate_model("groq:llama-3.1-8b-instant"), bool)
        assert_type(llm.is_model_deprecated("claude-haiku-5-5", at=datetime.now(UTC)), bool | None)
        assert_type(llm.model_info("claude-haiku-5-5"), ModelInfo | None)


async def asynchronous() -> None:
    """The async client, with settings and with a provider of one's own."""
    async with LLMClient(GatewayConfig(provider="openai")) as llm:
        assert_type(await llm.chat("Hello"), LLMResponse[str])
        assert_type(await llm.count_tokens("Hello"), Estimate)
        assert_type((await llm.complete("Hello", response_model=Answer)).content, Answer)
        async with llm.stream("Hello", system="Be brief.", temperature=0.5) as stream:
            async for delta in stream:
                assert_type(delta.text, str)
                assert_type(delta.tool_call, ToolCall | None)
        assert_type(stream.response, LLMResponse[str] | None)
        assert_type(await llm.refresh_models("anthropic"), list[ModelInfo])
        assert_type(await llm.get_available_models(), list[ModelInfo])
        assert_type(await llm.validate_model("gpt-5-mini"), bool)
    for mine in (Mine(), Wider(), FakeLLMProvider("Hello")):
        async with LLMClient(provider_instance=mine) as llm:
            await llm.chat("Hello")
    LLMClient(GatewayConfig(top_p=0.5, seed=7, reasoning_effort="none", unsupported_params="drop"))


async def closed() -> None:
    """Clients that no block closes."""
    llm = LLMClient(provider="groq", model="m", api_key="k")
    await llm.close()
    SyncLLMClient(base_url="http://localhost:8000/v1").close()


def providers() -> None:
    """Providers by name, and those of one's own."""
    assert_type(build_provider("openai", GatewayConfig()), HttpProvider | ProcessProvider | CustomProvider)
    register_provider("mine", lambda config: Mine())
    register_provider("set_up", SetUp)
    fake = FakeLLMProvider()
    fake.set_response(Answer, Answer(text="forty-two"))
    assert_type((fake.name, len(fake.calls)), tuple[str, int])
    SyncLLMClient(provider_instance=build_provider("local_claude"))


def errors(llm: SyncLLMClient) -> None:
    """What a program branches on."""
    try:
        llm.complete("Hello", response_model=Answer)
    except StructuredOutputError as error:
        assert_type(error.text, str)
        assert_type(error.usage, TokenUsage | None)
    except ProviderError as error:
        assert_type((error.provider, error.status), tuple[str | None, int | None])
        assert_type((error.retry_after_s, error.usage), tuple[float | None, TokenUsage | None])
        assert_type((error.raw, error.has_begun), tuple[str | None, bool])
    except GatewayError as error:
        assert_type(error.kind, ErrorKind | None)
        assert_type(error.is_retryable, bool)
        assert_type((error.message, error.cause, error.fix), tuple[str, str | None, str | None])


assert_type(ThinkingPart("Let me see.").signature, str | None)
assert_type(list_providers(), list[str])
assert_type(LLMMessage.user("Hello").parts[:1] == (TextPart("Hello"),), bool)
assert_type(LLMMessage("tool", (ToolResult("c", "1 kg"),)).text, str)
assert issubclass(UnsupportedParamWarning, UserWarning)
assert_type(estimate_tokens([LLMMessage("user", ())], "gpt-5-mini").tokens, int)


def settings() -> None:
    """Every setting, as an argument."""
    GatewayConfig(
        config=(Path("llm.yaml"),),
        providers={
            "openai": ProviderConfig(api_key=SecretStr("k"), model="gpt-5-mini", fallback_models=("gpt-5-nano",))
        },
        provider="azure",
        model="my-deployment",
        api_key=SecretStr("k"),
        base_url="https://example.com",
        api_version="2025-04-01-preview",
        region="us-east-1",
        project="my-project",
        max_tokens=100,
        max_context_tokens=8_000,
        temperature=0.5,
    )
    GatewayConfig(
        connect_timeout_s=1,
        first_token_timeout_s=2,
        idle_timeout_s=3,
        timeout_s=4,
        total_timeout_s=5,
        max_retries=0,
        circuit_failures=5,
        circuit_pause_s=30,
        fallback_models=("groq:llama3",),
        cross_provider_fallback=True,
        cost_limit_usd=Decimal(5),
        cost_warn_usd=Decimal(4),
        prices=Path("prices.yaml"),
        ledger=SecretStr("ledger.db"),
        tags={"team": "search"},
        cache="memory",
        cache_ttl_s=60,
        cache_tenant="acme",
        cache_tool_calls=True,
        models={"openai:mine": {"context_tokens": 8_000}},
        models_cache=Path("lists"),
        log="json",
        tracing="otlp",
        metrics="console",
        capture_content=False,
    )


def models() -> None:
    """What is known of models."""
    register_model("acme:*", max_output_tokens=50, deprecated_at=date(2026, 12, 1), replaced_by="acme:two")
    register_model("acme:one", context_tokens=8_000, capabilities={"chat"}, retires_at="2027-01-31")
    register_model("acme:two", refuses=["images", "tools", "temperature"])
    assert_type(ModelInfo("one", "acme").is_deprecated(datetime.now(UTC)), bool)
    assert_type(ModelInfo("one", "acme").capabilities, frozenset[str] | None)


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


def money() -> None:
    """The ledger and its reports."""
    ledger = open_ledger("ledger.db")
    assert_type(ledger, Ledger)
    ledger.append([Entry("1", datetime.now(UTC), "openai", usage=TokenUsage(1, 2), cost_usd=Decimal("0.01"))])
    ledger.close()
    (row,) = usage_report(date(2026, 11, 1), datetime.now(UTC), ledger="ledger.db", by="tag:team")
    assert_type(row, UsageRow)
    assert_type(row.cost_usd, Decimal | None)
    assert_type(row.usage, TokenUsage)


class Shelf:
    """A store of one's own."""

    def get(self, key: str) -> bytes | None:
        """Find nothing."""
        return None

    def put(self, key: str, value: bytes, ttl_s: float) -> None:
        """Keep nothing."""

    def close(self) -> None:
        """Nothing to close."""


def cached() -> None:
    """Answers that are given again."""
    stores: list[CacheStore] = [
        MemoryStore(max_bytes=1_000_000),
        SQLiteStore("answers.sqlite", max_bytes=1_000_000, wait_s=1),
        RedisStore("redis://localhost:6379/0", prefix="mine:"),
        Shelf(),
    ]
    for store in stores:
        with SyncLLMClient(cache=store) as llm:
            response = llm.chat("Hello")
            assert_type(response.cached, bool)
            assert_type(response.saved_cost_usd, Decimal | None)
            llm.chat("Hello", cache=False)
    LLMClient(cache=False)
